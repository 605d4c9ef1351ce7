//! The closed table of all codes: number, name, default weight, one sentence. Numbers are never used twice.

use std::fmt;

use crate::Severity;

macro_rules! codes {
    ($($(#[doc = $family:literal])? $variant:ident $number:literal $name:literal $severity:ident $title:literal)+) => {
        /// A kind of problem. Its number (`F0101`) and its name (`unknown-name`) never change.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code { $($(#[doc = $family])? $variant),+ }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The stable number, as `F0101`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number),+ }
            }

            /// The stable name, as `unknown-name`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),+ }
            }

            /// The problem in one sentence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),+ }
            }

            /// The weight where a diagnostic says no other.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    /// F00: syntax.
    UnexpectedWord "F0001" "unexpected-word" Error "a line does not read as any statement, clause or arm"
    MissingNewline "F0002" "missing-newline" Error "two statements stand on one line"
    UnclosedBrace "F0003" "unclosed-brace" Error "a brace has no partner"
    ReservedWordAsName "F0004" "reserved-word-as-name" Error "a reserved word is used as a name"
    CommaBetweenActions "F0005" "comma-between-actions" Error "actions are chained by `then`, not by a comma"
    TextAfterElse "F0006" "text-after-else" Error "after `else` stands one value, one action or one block, and the line ends"
    UnterminatedText "F0007" "unterminated-text" Error "a text has no closing quote on its line"
    BadUnit "F0008" "bad-unit" Error "a figure carries a unit that does not exist"
    BadLanguageTag "F0009" "bad-language-tag" Error "a language tag is not of the form `zh` or `pt-BR`"
    NotYet "F0010" "not-yet" Error "this version does not compile this construct yet"
    TooLarge "F0011" "too-large" Error "a file or an expression is larger than the parser takes"

    /// F01: names.
    UnknownName "F0101" "unknown-name" Error "a name is not declared where it is used"
    DuplicateName "F0102" "duplicate-name" Error "two things in one place have one name"
    ShadowedName "F0103" "shadowed-name" Error "a name hides another that is still visible"
    UnusedName "F0104" "unused-name" Warning "a name is declared and never used"
    SelfDependentItem "F0105" "self-dependent-item" Error "a constant or type depends on itself"
    NotVisible "F0106" "not-visible" Error "a name is `local` to another module or was not imported"
    NotAssignedOnEveryPath "F0107" "not-assigned-on-every-path" Error "a name has no value on some path that uses it"
    UnknownModule "F0108" "unknown-module" Error "no file of the project is this module"

    /// F02: types.
    TypeMismatch "F0201" "type-mismatch" Error "a value has another type than its place wants"
    MissingField "F0202" "missing-field" Error "a record or variant is built without one of its fields"
    UnknownField "F0203" "unknown-field" Error "a value has no field, argument or operation of this name"
    GapsInMatch "F0204" "gaps-in-match" Error "a `match` leaves some value out"
    ArmNeverReached "F0205" "arm-never-reached" Error "an earlier arm takes all that this one could"
    OptionalUsedAsPresent "F0206" "optional-used-as-present" Error "a value that may be `none` is used as if it were there"
    NotComparable "F0207" "not-comparable" Error "these values have no such comparison"
    BadLiteral "F0208" "bad-literal" Error "a literal does not fit the type that is wanted"
    ValueWhereActionBelongs "F0209" "value-where-action-belongs" Error "a value stands where something should happen"
    ResultNotUsed "F0210" "result-not-used" Error "the result of a call is thrown away"

    /// F03: outcomes.
    OutcomeNotHandled "F0301" "outcome-not-handled" Error "an outcome that can happen has no arm"
    OutcomeHandledTwice "F0302" "outcome-handled-twice" Error "an outcome has two arms"
    OutcomeImpossible "F0303" "outcome-impossible" Error "an arm names an outcome that cannot happen here"
    ElseInOutcomeArms "F0304" "else-in-outcome-arms" Error "arms of outcomes name each outcome and have no `else`"
    PayloadOnPlainOutcome "F0305" "payload-on-plain-outcome" Error "an outcome that carries nothing is given a name to fill"

    /// F04: dialogues.
    KeyTwice "F0401" "key-twice" Error "one key leads to two choices"
    KeyHidesLongerKey "F0402" "key-hides-longer-key" Warning "a key begins another, so the caller must wait"
    PhraseClash "F0403" "phrase-clash" Error "one phrase leads to two choices"
    PhraseMissingLanguage "F0404" "phrase-missing-language" Error "a choice has phrases in some languages only"
    NoSilence "F0405" "no-silence" Error "a dialogue does not say what silence leads to"
    AgainWithoutBound "F0406" "again-without-bound" Error "a dialogue with `again` has no `after N tries`"
    AgainOutsideDialogue "F0407" "again-outside-dialogue" Error "`again` does not end an arm of a dialogue"
    NothingToHear "F0408" "nothing-to-hear" Error "a dialogue has no prompt"
    BoundsOfDigitsEmpty "F0409" "bounds-of-digits-empty" Error "no input can have this many digits"
    ConfirmOfPrivate "F0410" "confirm-of-private" Error "a private value cannot be read back"

    /// F05: flow.
    UnreachableStep "F0501" "unreachable-step" Error "no path leads to a step"
    PathDoesNotEnd "F0502" "path-does-not-end" Error "a path reaches the end of its step and says nothing"
    UnboundedCycle "F0503" "unbounded-cycle" Error "steps lead back to themselves without a bound"
    StatementAfterEnd "F0504" "statement-after-end" Error "a statement stands behind the end of its path"
    RecursiveFlow "F0505" "recursive-flow" Error "a flow runs itself"
    BoundOfZero "F0506" "bound-of-zero" Error "a bound allows nothing"
    WaitInsideExpression "F0507" "wait-inside-expression" Error "a call that waits stands inside an expression"
    WorstCaseTooLong "F0508" "worst-case-too-long" Error "the longest path passes a limit"

    /// F06: line, privacy, consent.
    NoLineHere "F0601" "no-line-here" Error "nobody is on the line here"
    BeforeAnswer "F0602" "before-answer" Error "the call is not answered yet"
    PrivateLeak "F0603" "private-leak" Error "a private value reaches speech, log, journal or report"
    PrivateParameterNeeded "F0604" "private-parameter-needed" Error "a private value is passed where `private` is not declared"
    ConsentMissing "F0605" "consent-missing" Error "nobody has agreed to it"
    ConsentStored "F0606" "consent-stored" Error "a consent is kept, where only a permission may be"
    RecordingWithoutNotice "F0607" "recording-without-notice" Warning "a recording begins before the caller is told"
    VoiceOnlyOnOtherChannel "F0608" "voice-only-on-other-channel" Error "a flow that is bound to a written channel does what only voice can"
    LongNumberNotPrivate "F0609" "long-number-not-private" Error "13 digits or more are asked without `private`"

    /// F07: texts.
    LanguageMissing "F0701" "language-missing" Error "a text lacks one of the file's languages"
    AudioMissing "F0702" "audio-missing" Error "a prompt names an audio file that is not there"
    AudioNotDecodable "F0703" "audio-not-decodable" Error "an audio file cannot be read"
    HolesDiffer "F0704" "holes-differ" Error "the languages of one text use different holes"
    UnusedPrompt "F0705" "unused-prompt" Warning "a prompt is never played"
    NotSpeakable "F0706" "not-speakable" Error "a value of this type cannot be said"
    PluralFormsWrong "F0707" "plural-forms-wrong" Error "a plural has another number of forms than its language"
    VariantWithoutText "F0708" "variant-without-text" Warning "a variant that is said has no text, so callers hear its name"
    SpokenInAnotherLanguage "F0709" "spoken-in-another-language" Warning "callers hear a language that is not theirs"

    /// F08: hours.
    NeverOpen "F0801" "never-open" Error "these hours are never open"
    Overlap "F0802" "overlap" Error "two lines of hours speak of one time"
    UnknownZone "F0803" "unknown-zone" Error "no time zone has this name"
    UnknownHolidays "F0804" "unknown-holidays" Error "no holiday table has this name"
    DatePast "F0805" "date-past" Warning "a date is over"
    HolidaysRunOut "F0806" "holidays-run-out" Warning "the years of a holiday table are over"

    /// F09: routing.
    NoAgentCanMatch "F0901" "no-agent-can-match" Error "no agent of the project has what a queue needs"
    RelaxDoesNotRelax "F0902" "relax-does-not-relax" Error "a `relax` asks no less than what it replaces"
    OverflowCycle "F0903" "overflow-cycle" Error "queues overflow in a circle"
    PriorityOutOfRange "F0904" "priority-out-of-range" Error "a priority is outside its range"
    SkillWithoutLevel "F0905" "skill-without-level" Error "a skill that has no levels is compared"
    TwoSurveysOnAQueue "F0906" "two-surveys-on-a-queue" Error "a queue has two surveys"
    AlarmNeverTrue "F0907" "alarm-never-true" Error "the condition of a rule can never be true"
    MayStarve "F0908" "may-starve" Warning "a caller of low priority may never be next"

    /// F10: cadence.
    NoWindow "F1001" "no-window" Error "a cadence has no window"
    WindowOutsideLaw "F1002" "window-outside-law" Error "a window reaches beyond what the law allows"
    AttemptsAboveLaw "F1003" "attempts-above-law" Error "a cadence tries more often than the law allows"
    NoAttemptLimit "F1004" "no-attempt-limit" Error "a cadence has no limit of attempts"
    RetryNeverUsed "F1005" "retry-never-used" Error "a delay of `retry` can never be reached"
    AfterAttemptBeyondLast "F1006" "after-attempt-beyond-last" Error "`after attempt` names an attempt that is never made"
    DialAfterFinalOutcome "F1007" "dial-after-final-outcome" Error "a final disposition is followed by another call"
    UnknownPurpose "F1008" "unknown-purpose" Error "the project has no such purpose"

    /// F11: deployment.
    MissingInYaml "F1101" "missing-in-yaml" Error "`strowger.yaml` lacks what the files need"
    NotE164 "F1102" "not-e164" Error "a number is not a full international number"
    NumberBoundTwice "F1103" "number-bound-twice" Error "two flows are bound to one number"
    SecretInSource "F1104" "secret-in-source" Error "a secret stands in a file"
    WaitingCadenceDoesNotFit "F1105" "waiting-cadence-does-not-fit" Error "people wait in a cadence that the new version changed"

    /// F12: tests.
    GivenUnknownService "F1201" "given-unknown-service" Error "a test answers for a service that does not exist"
    ExpectationImpossible "F1202" "expectation-impossible" Error "a test expects what can never happen"
    TestNeverEnds "F1203" "test-never-ends" Error "a test does not reach its end"
}

impl Code {
    /// The code of a number (`F0101`) or a name (`unknown-name`), in any case.
    pub fn find(word: &str) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.number().eq_ignore_ascii_case(word) || code.name().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_names_are_unique() {
        let numbers: Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn a_code_is_found_by_number_and_by_name() {
        assert_eq!(Code::find("f0101"), Some(Code::UnknownName));
        assert_eq!(Code::find("unknown-name"), Some(Code::UnknownName));
        assert_eq!(Code::find("F9999"), None);
    }
}
