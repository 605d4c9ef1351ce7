//! ITU-T G.711: both laws, to and from 16-bit linear PCM.
