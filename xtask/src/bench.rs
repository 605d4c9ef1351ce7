//! Benchmarks that anyone can run: each measures ours and a named reference in the same run and prints both.

pub fn run(words: &[&str]) -> Result<(), String> {
   
    Ok(())
}
