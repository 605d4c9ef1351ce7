//! RTP, DTMF, prompts, recording.
