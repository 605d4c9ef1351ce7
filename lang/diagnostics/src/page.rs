//! The page of each code: what it means, why it is refused, a wrong and a right example. `pages/F0101.md` and the like;
//! tests of `lang/compiler` compile the examples.

use crate::Code;

macro_rules! pages {
    ($($number:literal)+) => {
        /// Number and text of every page.
        const PAGES: &[(&str, &str)] = &[$(($number, include_str!(concat!("../pages/", $number, ".md")))),+];
    };
}

pages! {
    "F0001" "F0002" "F0003" "F0004" "F0005" "F0006" "F0007" "F0008" "F0009" "F0010"
    "F0011" "F0101" "F0102" "F0103" "F0104" "F0105" "F0106" "F0107" "F0108" "F0201"
    "F0202" "F0203" "F0204" "F0205" "F0206" "F0207" "F0208" "F0209" "F0210" "F0301"
    "F0302" "F0303" "F0304" "F0305" "F0401" "F0402" "F0403" "F0404" "F0405" "F0406" "F0407" "F0408"
    "F0409" "F0410" "F0501" "F0502" "F0503" "F0504" "F0505" "F0506" "F0507" "F0508"
    "F0601" "F0602" "F0603" "F0604" "F0605" "F0606" "F0607" "F0608" "F0609" "F0701" "F0702" "F0703" "F0704" "F0705" "F0706"
    "F0707" "F0708" "F0709" "F0801" "F0802" "F0803" "F0804" "F0805" "F0806" "F0901" "F0902" "F0903" "F0904" "F0905" "F0906" "F0907" "F0908" "F1001" "F1002" "F1003" "F1004" "F1005" "F1006" "F1007" "F1008" "F1101" "F1102" "F1103" "F1104" "F1201"
    "F1202" "F1203"
}

impl Code {
    /// What the code means, as Markdown with the headings `Wrong` and `Right`; `None` for a code that this version never
    /// gives.
    pub fn page(self) -> Option<&'static str> {
        PAGES.iter().find(|(number, _)| *number == self.number()).map(|(_, text)| *text)
    }

    /// What the codes that begin with this one's family have in common: `F01`, `names`.
    pub fn family(self) -> (&'static str, &'static str) {
        let family = self.number().get(..3).unwrap_or_default();
        FAMILIES.iter().copied().find(|(number, _)| *number == family).unwrap_or((family, ""))
    }
}

const FAMILIES: [(&str, &str); 13] = [
    ("F00", "syntax"),
    ("F01", "names"),
    ("F02", "types"),
    ("F03", "outcomes"),
    ("F04", "dialogues"),
    ("F05", "flow"),
    ("F06", "line, privacy, consent"),
    ("F07", "texts"),
    ("F08", "hours"),
    ("F09", "routing"),
    ("F10", "cadence"),
    ("F11", "deployment"),
    ("F12", "tests"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_its_code_as_heading_and_each_code_a_family() {
        for (number, text) in PAGES {
            let code = Code::find(number).expect(number);
            assert!(text.starts_with(&format!("# {code}\n\n")), "{number}");
        }
        assert!(Code::ALL.iter().all(|code| !code.family().1.is_empty()));
        assert_eq!(Code::find("f0101"), Code::find("Unknown-Name"));
    }
}
