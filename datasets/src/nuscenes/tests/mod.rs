mod errors;
mod fixture;
mod keyframes;
mod reading;
