//! The core, concern by concern: exchanges of packets with what the standards expect.

mod accepting;
mod breaking;
mod changing_versions;
mod connecting;
mod delivering;
mod identifying;
mod limiting;
mod noting;
mod overflowing;
mod publishing;
mod retaining;
mod script;
mod sessions;
mod subscribing;
mod timing;
mod verifying;
mod version_3_1;
mod wills;
