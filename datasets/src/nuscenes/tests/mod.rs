mod errors;
mod fixture;
mod reading;
