mod errors;
mod fixture;
mod motion;
mod sensor;
