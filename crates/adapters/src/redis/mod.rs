//! Redis, an accelerator: requests counted for all replicas together.

mod count;
mod dbs;
mod driver;
mod pool;

pub use self::dbs::{NotRedisDbs, RedisDbs, RedisUse};
pub(crate) use self::driver::Redis;

#[cfg(test)]
mod tests;
