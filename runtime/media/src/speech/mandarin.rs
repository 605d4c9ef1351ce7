//! Chinese text as numbered pinyin, because espeak-ng reads many Chinese words as English spelling. What is
//! not Chinese is left to another voice. It knows no process.

use pinyin::ToPinyin;

/// Words whose characters the pinyin table reads otherwise; longer words first where one begins another.
const WORDS: &[(&str, &str)] = &[
    ("银行", "yin2 hang2"),
    ("行业", "hang2 ye4"),
    ("行情", "hang2 qing2"),
    ("分行", "fen1 hang2"),
    ("支行", "zhi1 hang2"),
    ("重新", "chong2 xin1"),
    ("重复", "chong2 fu4"),
    ("重播", "chong2 bo1"),
    ("重试", "chong2 shi4"),
    ("校长", "xiao4 zhang3"),
    ("成长", "cheng2 zhang3"),
    ("增长", "zeng1 zhang3"),
    ("家长", "jia1 zhang3"),
    ("店长", "dian4 zhang3"),
    ("长大", "zhang3 da4"),
    ("长", "chang2"),
    ("便宜", "pian2 yi5"),
    ("认为", "ren4 wei2"),
    ("作为", "zuo4 wei2"),
    ("成为", "cheng2 wei2"),
    ("假期", "jia4 qi1"),
    ("假日", "jia4 ri4"),
    ("节假", "jie2 jia4"),
    ("放假", "fang4 jia4"),
    ("休假", "xiu1 jia4"),
    ("请假", "qing3 jia4"),
    ("音乐", "yin1 yue4"),
    ("调整", "tiao2 zheng3"),
    ("调解", "tiao2 jie3"),
    ("出差", "chu1 chai1"),
    ("更改", "geng1 gai3"),
    ("更新", "geng1 xin1"),
    ("更换", "geng1 huan4"),
    ("变更", "bian4 geng1"),
    ("回应", "hui2 ying4"),
    ("响应", "xiang3 ying4"),
    ("反应", "fan3 ying4"),
    ("归还", "gui1 huan2"),
    ("退还", "tui4 huan2"),
    ("偿还", "chang2 huan2"),
    ("还款", "huan2 kuan3"),
    ("了解", "liao3 jie3"),
    ("获得", "huo4 de2"),
    ("取得", "qu3 de2"),
    ("得到", "de2 dao4"),
    ("得", "de5"),
    ("处理", "chu3 li3"),
    ("会计", "kuai4 ji4"),
    ("大夫", "dai4 fu5"),
    ("下载", "xia4 zai4"),
];

/// Characters with a Chinese reading of their own.
const SYMBOLS: &[(char, &str)] =
    &[('#', "jing3 hao4"), ('*', "xing1 hao4"), ('+', "jia1"), ('%', "bai3 fen1 hao4"), ('&', "he2")];

const DIGITS: [&str; 10] = ["ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3"];
/// 1 where digits are read one by one.
const ONE_BY_ONE: &str = "yao1";
/// 两, which a single 2 is before 千, 万 and 亿.
const TWO_BEFORE_A_PLACE: &str = "liang3";
/// Digits up to this many are read as a number, longer ones one by one (a telephone or card number).
const NUMBER_DIGITS_MAX: usize = 4;

/// A stretch of text for one voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Numbered pinyin: syllables, commas and full stops.
    Pinyin(String),
    /// As written.
    Plain(String),
}

/// Whether a character is written Chinese.
pub fn is_han(c: char) -> bool {
    c.to_pinyin().is_some() || matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}' | '〇')
}

/// Chinese text: Latin words become plain pieces, all else pinyin.
pub fn chinese_to_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = is_foreign_letter(first);
        let length = if is_word { foreign_length(rest) } else { rest.find(is_foreign_letter).unwrap_or(rest.len()) };
        let (piece, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_word {
            pieces.push(Piece::Plain(piece.to_owned()));
        } else {
            pieces.push(Piece::Pinyin(to_pinyin(piece)));
        }
        rest = behind;
    }
    pieces
        .retain(|piece| !matches!(piece, Piece::Pinyin(pinyin) if !pinyin.contains(|c: char| c.is_ascii_lowercase())));
    pieces
}

/// Text of another language: Chinese in it becomes pinyin.
pub fn other_to_pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let han = is_han(first);
        let length = rest.find(|c| is_han(c) != han).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if han {
            pieces.push(Piece::Pinyin(to_pinyin(piece)));
        } else if piece.contains(char::is_alphanumeric) {
            pieces.push(Piece::Plain(piece.to_owned()));
        }
        rest = behind;
    }
    pieces
}

fn is_foreign_letter(c: char) -> bool {
    c.is_alphabetic() && !is_han(c)
}

/// Bytes of the foreign words that `text` begins with: blanks, hyphens, apostrophes and dots between letters belong
/// to them.
fn foreign_length(text: &str) -> usize {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if is_foreign_letter(c) {
            end = at + c.len_utf8();
        } else if !matches!(c, ' ' | '-' | '\'' | '’' | '.' | '&') {
            break;
        }
    }
    end
}

fn to_pinyin(text: &str) -> String {
    let mut syllables: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if let Some(digits) = digits_at(rest) {
            number_to_pinyin(rest, digits, &mut syllables)
        } else if let Some((word, reading)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            syllables.extend(reading.split(' ').map(str::to_owned));
            word.len()
        } else {
            if let Some(reading) = character_to_pinyin(c) {
                syllables.push(reading);
            }
            c.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    soften_bu(&mut syllables);
    syllables.join(" ")
}

fn character_to_pinyin(c: char) -> Option<String> {
    if let Some(pinyin) = c.to_pinyin() {
        let reading = pinyin.with_tone_num_end();
        let neutral = if reading.ends_with(|c: char| c.is_ascii_digit()) { "" } else { "5" };
        return Some(format!("{reading}{neutral}"));
    }
    if let Some((_, reading)) = SYMBOLS.iter().find(|(symbol, _)| *symbol == c) {
        return Some((*reading).to_owned());
    }
    match c {
        '〇' => Some("ling2".to_owned()),
        '。' | '！' | '？' | '!' | '?' | '；' | ';' | '…' | '\n' => Some(".".to_owned()),
        '，' | ',' | '、' | '：' | ':' | '（' | '）' | '(' | ')' | '—' => Some(",".to_owned()),
        _ => None,
    }
}

/// 不 is second tone before a fourth; espeak-ng knows only the rule for third tones.
fn soften_bu(syllables: &mut [String]) {
    let before_fourth: Vec<bool> =
        syllables.iter().skip(1).map(|next| next.ends_with('4')).chain(std::iter::once(false)).collect();
    for (syllable, before_fourth) in syllables.iter_mut().zip(before_fourth) {
        if before_fourth && syllable == "bu4" {
            *syllable = "bu2".to_owned();
        }
    }
}

/// The ASCII or full-width digits at the start of `text`, if any.
fn digits_at(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map_while(digit_value).collect();
    (!digits.is_empty()).then_some(digits)
}

fn digit_value(c: char) -> Option<u8> {
    match c {
        '0'..='9' => Some(c as u8 - b'0'),
        '０'..='９' => Some((c as u32 - '０' as u32) as u8),
        _ => None,
    }
}

/// Reads digits and a decimal part; returns how many bytes of `text` were read.
fn number_to_pinyin(text: &str, digits: Vec<u8>, syllables: &mut Vec<String>) -> usize {
    let bytes = |text: &str, count| text.chars().take(count).map(char::len_utf8).sum::<usize>();
    let length = bytes(text, digits.len());
    let behind = text.get(length..).unwrap_or_default();
    let leading_zero = digits.len() > 1 && digits.first() == Some(&0);
    let is_number = digits.len() <= NUMBER_DIGITS_MAX && !leading_zero && !behind.starts_with('年');
    if !is_number {
        syllables.extend(
            digits.iter().map(|digit| if *digit == 1 { ONE_BY_ONE } else { digit_to_pinyin(*digit) }.to_owned()),
        );
        return length;
    }
    if digits == [2] && behind.starts_with(['千', '万', '亿']) {
        syllables.push(TWO_BEFORE_A_PLACE.to_owned());
        return length;
    }
    below_ten_thousand(&digits, syllables);
    let decimals = behind.strip_prefix('.').and_then(digits_at);
    let Some(decimals) = decimals else { return length };
    syllables.push("dian3".to_owned());
    syllables.extend(decimals.iter().map(|digit| digit_to_pinyin(*digit).to_owned()));
    length + 1 + bytes(behind.get(1..).unwrap_or_default(), decimals.len())
}

fn digit_to_pinyin(digit: u8) -> &'static str {
    DIGITS.get(usize::from(digit)).copied().unwrap_or_default()
}

/// 0 to 9999 as it is spoken: 一千零二, 十五, 一百一十, 两千二百.
fn below_ten_thousand(digits: &[u8], syllables: &mut Vec<String>) {
    const PLACES: [&str; 4] = ["", "shi2", "bai3", "qian1"];
    if digits == [0] {
        syllables.push(digit_to_pinyin(0).to_owned());
        return;
    }
    let mut zero_skipped = false;
    for (at, digit) in digits.iter().enumerate() {
        if *digit == 0 {
            zero_skipped = true;
            continue;
        }
        if std::mem::take(&mut zero_skipped) {
            syllables.push(digit_to_pinyin(0).to_owned());
        }
        let place = PLACES.get(digits.len() - 1 - at).copied().unwrap_or_default();
        let is_ten_to_nineteen = digits.len() == 2 && at == 0 && *digit == 1;
        if (*digit, place) == (2, "qian1") {
            syllables.push(TWO_BEFORE_A_PLACE.to_owned());
        } else if !is_ten_to_nineteen {
            syllables.push(digit_to_pinyin(*digit).to_owned());
        }
        if !place.is_empty() {
            syllables.push(place.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown: Vec<String> = chinese_to_pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Pinyin(pinyin) => pinyin,
                Piece::Plain(text) => format!("[{text}]"),
            })
            .collect();
        assert_eq!(shown.join(" | "), expected, "{text}");
    }

    #[test]
    fn characters_become_syllables_with_tones() {
        check("欢迎致电。", "huan1 ying2 zhi4 dian4 .");
        check("好的，再见！", "hao3 de5 , zai4 jian4 .");
        check("女", "nü3");
    }

    #[test]
    fn words_have_their_own_readings() {
        check("银行还有音乐", "yin2 hang2 hai2 you3 yin1 yue4");
        check("重新成长很长", "chong2 xin1 cheng2 zhang3 hen3 chang2");
        check("不是不好", "bu2 shi4 bu4 hao3");
    }

    #[test]
    fn short_numbers_are_numbers_and_long_ones_digits() {
        check("请按1", "qing3 an4 yi1");
        check("0", "ling2");
        check("10点", "shi2 dian3");
        check("15", "shi2 wu3");
        check("110", "yi1 bai3 yi1 shi2");
        check("1002", "yi1 qian1 ling2 er4");
        check("2000", "liang3 qian1");
        check("2万2222", "liang3 wan4 liang3 qian1 er4 bai3 er4 shi2 er4");
        check("12万", "shi2 er4 wan4");
        check("两点零二分", "liang3 dian3 ling2 er4 fen1");
        check("3.14", "san1 dian3 yi1 si4");
        check("2026年", "er4 ling2 er4 liu4 nian2");
        check("007", "ling2 ling2 qi1");
        check("4008100", "si4 ling2 ling2 ba1 yao1 ling2 ling2");
        check("１２", "shi2 er4");
        check("按#", "an4 jing3 hao4");
    }

    #[test]
    fn foreign_words_are_left_to_their_voice() {
        check("欢迎致电 Acme。", "huan1 ying2 zhi4 dian4 | [Acme]");
        check("请找 Dr. O'Neil-Smith 先生", "qing3 zhao3 | [Dr. O'Neil-Smith] | xian1 sheng1");
        check("VIP客户", "[VIP] | ke4 hu4");
        check("。。", "");
    }

    #[test]
    fn chinese_in_other_languages_is_found() {
        assert_eq!(
            other_to_pieces("Dear 王小明, hello."),
            [Piece::Plain("Dear ".into()), Piece::Pinyin("wang2 xiao3 ming2".into()), Piece::Plain(", hello.".into())]
        );
        assert_eq!(other_to_pieces("..."), []);
    }
}
