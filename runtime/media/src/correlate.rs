//! Finds a prompt in received audio: normalised cross-correlation of its beginning, then block by block how far it
//! was heard. It knows neither calls nor packets.

use realfft::RealFftPlanner;

/// Where a prompt was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// Sample of `received` at which the prompt begins (8 kHz).
    pub offset: usize,
    /// Normalised cross-correlation over what was heard, 0 to 1.
    pub score: f32,
    /// Samples from `offset` to the last that agrees with the prompt: less than its length when it was cut off or ends
    /// in silence, more when the sender stood still in the middle.
    pub heard: usize,
}

/// How much of a prompt must have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// From its first sound to its last.
    Whole,
    /// At least its first milliseconds (a key may stop a prompt). Two prompts that begin alike cannot be told apart
    /// by less than where they differ.
    AtLeastMs(u32),
}

/// Samples that are compared at once (40 ms).
const BLOCK: usize = 320;
/// Longest beginning that is searched for (1 s).
const HEAD_MAX: usize = 8_000;
/// A sender that stands still in the first second is known by less (160 ms).
const HEAD_SHORT: usize = 1_280;
/// Shortest sound that can be told from others (100 ms).
const SOUND_MIN: usize = 800;
/// Mean square (full scale 1.0) of a block that is sound: −50 dB.
const SOUND_POWER: f32 = 1e-5;
/// Received sound this much weaker than the prompt (in power, −20 dB) is not it.
const POWER_RATIO_MIN: f32 = 0.01;
/// Correlation at which a beginning is worth a closer look.
const HEAD_SCORE_MIN: f32 = 0.5;
/// Correlation at which a block agrees.
const BLOCK_SCORE_MIN: f32 = 0.7;
/// From one block to the next a clock that is followed moves no further (2 ms).
const DRIFT_MAX: usize = 16;
/// So many blocks of sound that disagree in a row are the end of what was heard (120 ms).
const BLOCKS_MISSED_MAX: usize = 3;
/// Of a prompt that was interrupted, so much (600 ms, or 160 ms until the next interruption) tells where it goes on,
const PAUSE_HEADS: [usize; 2] = [HEAD_SHORT, 4_800];
/// within 5 s of silence: the sender's process stood still.
const PAUSE_MAX: usize = 40_000;
/// So often, at most.
const PAUSES_MAX: usize = 16;
/// Of the blocks of sound that count as heard, so many must agree (lost packets are gaps).
const AGREEMENT_MIN: f32 = 0.85;
/// Beginnings closer than this (100 ms) are one, at the best of them.
const APART_MIN: usize = 800;
/// Scores closer than this are equal: the earlier one wins.
const SCORE_TIE: f32 = 0.02;

/// Looks for `prompt` in `received` from sample `from` on; both are 8 kHz linear PCM. `None` when it is not there, or
/// when the prompt has less than 100 ms of sound. Of several places the first good one.
pub fn find_prompt(received: &[i16], from: usize, prompt: &[i16], portion: Portion) -> Option<Match> {
    let signal: Vec<f32> = received.get(from..)?.iter().map(to_unit).collect();
    let prompt: Vec<f32> = prompt.iter().map(to_unit).collect();
    let sound = sound_of(&prompt)?;
    let lead = sound.start;
    let sound = prompt.get(sound)?;
    let needed = match portion {
        Portion::Whole => sound.len(),
        Portion::AtLeastMs(ms) => (ms as usize * 8).saturating_sub(lead).clamp(SOUND_MIN, sound.len()),
    };
    let head = |samples: usize| sound.get(..needed.min(samples)).unwrap_or(sound);
    let mut best: Option<(usize, Heard)> = None;
    for (at, _) in [HEAD_MAX, HEAD_SHORT].into_iter().flat_map(|samples| beginnings(&signal, head(samples))) {
        let heard = compare(signal.get(at..).unwrap_or_default(), sound);
        let enough = heard.prompt_samples + BLOCK > needed && heard.agreement >= AGREEMENT_MIN;
        if enough && best.is_none_or(|(_, best)| heard.score > best.score + SCORE_TIE) {
            best = Some((at, heard));
        }
    }
    let (at, heard) = best?;
    // The prompt may begin with silence that was cut from the front of what was received.
    let offset = (from + at).saturating_sub(lead);
    Some(Match { offset, score: heard.score, heard: from + at + heard.signal_samples - offset })
}

fn to_unit(sample: &i16) -> f32 {
    f32::from(*sample) / 32_768.0
}

/// From the first block with sound to the last.
fn sound_of(prompt: &[f32]) -> Option<std::ops::Range<usize>> {
    let loud = |block: &[f32]| power(block) > SOUND_POWER * block.len() as f32;
    let mut blocks = prompt.chunks(BLOCK / 2).enumerate().filter(|(_, block)| loud(block)).map(|(at, _)| at);
    let first = blocks.next()?;
    let last = blocks.next_back().unwrap_or(first);
    let range = first * BLOCK / 2..((last + 1) * BLOCK / 2).min(prompt.len());
    (range.len() >= SOUND_MIN).then_some(range)
}

/// Sum of squares.
fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum()
}

/// Places where the head may begin, in order, and how well it fits: peaks of the normalised correlation.
fn beginnings(signal: &[f32], head: &[f32]) -> Vec<(usize, f32)> {
    let Some(correlation) = cross_correlation(signal, head) else { return Vec::new() };
    let head_power = power(head);
    // Sums of squares up to each sample, in f64 since their differences are taken.
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(signal.iter().scan(0.0f64, |sum, sample| {
            *sum += f64::from(sample * sample);
            Some(*sum)
        }))
        .collect();
    let windows = sums.iter().zip(sums.iter().skip(head.len()));
    let mut peaks: Vec<(usize, f32)> = Vec::new();
    for (at, (value, (start, end))) in correlation.iter().zip(windows).enumerate() {
        let signal_power = (end - start) as f32;
        if signal_power < head_power * POWER_RATIO_MIN {
            continue;
        }
        let score = value / (signal_power * head_power).sqrt();
        if score < HEAD_SCORE_MIN {
            continue;
        }
        match peaks.last_mut() {
            Some((last, best)) if at - *last < APART_MIN => {
                if score > *best {
                    (*last, *best) = (at, score);
                }
            }
            _ => peaks.push((at, score)),
        }
    }
    peaks
}

/// At each place, the sum of products of the signal from there with the head (by FFT).
fn cross_correlation(signal: &[f32], head: &[f32]) -> Option<Vec<f32>> {
    let size = (signal.len() + head.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| {
        let mut padded = samples.to_vec();
        padded.resize(size, 0.0);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum).ok().map(|()| spectrum)
    };
    let mut product = spectrum(signal)?;
    for (value, head) in product.iter_mut().zip(spectrum(head)?) {
        *value = *value * head.conj() / size as f32;
    }
    let mut correlation = inverse.make_output_vec();
    inverse.process(&mut product, &mut correlation).ok()?;
    correlation.truncate((signal.len() + 1).saturating_sub(head.len()));
    Some(correlation)
}

#[derive(Clone, Copy, Default)]
struct Heard {
    prompt_samples: usize,
    /// As many, and those of pauses.
    signal_samples: usize,
    agreement: f32,
    score: f32,
}

/// How far the signal goes along with the prompt, which a sender that stood still may have sent in pieces, and a
/// buffer that follows a clock may have drawn out or pushed together.
fn compare(signal: &[f32], prompt: &[f32]) -> Heard {
    let (mut agreed, mut sounding, mut missed) = (0usize, 0usize, 0usize);
    // Samples by which the signal is behind the prompt, and how often it fell behind by a pause.
    let (mut behind, mut pauses) = (0usize, 0);
    let mut products = Products::default();
    let mut heard = Heard::default();
    for at in (0..prompt.len()).step_by(BLOCK) {
        let rest = prompt.get(at..).unwrap_or_default();
        let block = rest.get(..BLOCK).unwrap_or(rest);
        let here = |behind: usize| Products::of(piece(signal, at + behind), block);
        if power(block) <= SOUND_POWER * block.len() as f32 {
            products = products.plus(here(behind));
            continue;
        }
        let mut now = here(behind);
        if !now.agrees()
            && let Some(drifted) = drifts(behind).find(|behind| here(*behind).agrees())
        {
            behind = drifted;
            now = here(behind);
        }
        if !now.agrees()
            && pauses < PAUSES_MAX
            && let Some(pause) = pause(signal.get(at + behind..).unwrap_or_default(), rest)
        {
            behind += pause;
            pauses += 1;
            now = here(behind);
        }
        products = products.plus(now);
        sounding += 1;
        if now.agrees() {
            agreed += 1;
            missed = 0;
            let samples = at + block.len();
            let agreement = agreed as f32 / sounding as f32;
            heard =
                Heard { prompt_samples: samples, signal_samples: samples + behind, agreement, score: products.score() };
        } else {
            missed += 1;
            if missed >= BLOCKS_MISSED_MAX {
                break;
            }
        }
    }
    heard
}

/// Other places within 2 ms of this one, the nearest first.
fn drifts(behind: usize) -> impl Iterator<Item = usize> {
    (1..=DRIFT_MAX).flat_map(move |samples| [behind.checked_sub(samples), Some(behind + samples)]).flatten()
}

/// The block from `at` on, as far as there is one.
fn piece(signal: &[f32], at: usize) -> &[f32] {
    let rest = signal.get(at..).unwrap_or_default();
    rest.get(..BLOCK).unwrap_or(rest)
}

/// Samples of silence after which the signal goes on with the prompt; `None` when it does not.
fn pause(signal: &[f32], prompt: &[f32]) -> Option<usize> {
    PAUSE_HEADS.into_iter().find_map(|samples| {
        let head = prompt.get(..prompt.len().min(samples)).filter(|head| head.len() >= SOUND_MIN)?;
        let signal = signal.get(..signal.len().min(PAUSE_MAX + head.len()))?;
        if signal.len() < head.len() {
            return None;
        }
        // The block in which the sender stopped was heard in part.
        let silent = |to: usize| signal.iter().take(to).filter(|sample| *sample * *sample <= SOUND_POWER).count();
        let sounds = |at: usize| Products::of(piece(signal, at), piece(head, 0)).agrees();
        let goes_on = |at: &usize| *at >= BLOCK / 2 && silent(*at) + BLOCK >= *at && sounds(*at);
        beginnings(signal, head).into_iter().map(|(at, _)| at).find(goes_on)
    })
}

/// Sums of squares and of products.
#[derive(Clone, Copy, Default)]
struct Products {
    signal: f32,
    prompt: f32,
    cross: f32,
}

impl Products {
    fn of(signal: &[f32], prompt: &[f32]) -> Products {
        let cross = signal.iter().zip(prompt).map(|(a, b)| a * b).sum();
        Products { signal: power(signal), prompt: power(prompt), cross }
    }

    fn plus(self, other: Products) -> Products {
        Products {
            signal: self.signal + other.signal,
            prompt: self.prompt + other.prompt,
            cross: self.cross + other.cross,
        }
    }

    fn agrees(self) -> bool {
        self.score() >= BLOCK_SCORE_MIN && self.signal >= self.prompt * POWER_RATIO_MIN
    }

    fn score(self) -> f32 {
        let scale = (self.signal * self.prompt).sqrt();
        if scale > 0.0 { (self.cross / scale).clamp(0.0, 1.0) } else { 0.0 }
    }
}
