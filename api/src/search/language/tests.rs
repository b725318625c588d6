use proptest::prelude::*;

use super::*;

/// What is asked, wherever it stood.
fn asks(parsed: &Parsed) -> Vec<(bool, Ask)> {
    parsed.operators.iter().map(|operator| (operator.excluded, operator.ask.clone())).collect()
}

fn read(text: &str) -> Parsed {
    parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn only(text: &str) -> Ask {
    let parsed = read(text);
    assert!(parsed.terms.is_empty(), "{text}: {parsed:?}");
    let [operator] = parsed.operators.as_slice() else { panic!("{text}: {parsed:?}") };
    operator.ask.clone()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn a_query_is_taken_apart() {
    let text = "person:\"Minji\" tag:car rain text:\"exit\" after:2026-01-01 before:2026-02-01 duration:<60 lang:KO -music \"exact words\" -\"so long\"";
    let parsed = read(text);
    assert_eq!(parsed.free(), "rain \"exact words\"");
    let wanted = [
        (false, Ask::Person("Minji".into())),
        (false, Ask::Tag("car".into())),
        (false, Ask::Text("exit".into())),
        (false, Ask::After(day(2026, 1, 1))),
        (false, Ask::Before(day(2026, 2, 1))),
        (false, Ask::Duration(Length::Below(60_000))),
        (false, Ask::Language("ko".into())),
        (true, Ask::Said("music".into())),
        (true, Ask::Said("so long".into())),
    ];
    assert_eq!(asks(&parsed), wanted);
    assert_eq!(
        parsed.to_string(),
        "rain \"exact words\" person:Minji tag:car text:exit after:2026-01-01 before:2026-02-01 duration:<60 lang:ko -said:music -said:\"so long\""
    );
    assert_eq!(parsed.operators[1].columns, Columns { first: 16, end: 23 });
}

#[test]
fn dates_and_lengths_are_read_as_they_are_written() {
    for (text, date) in [("2026-03-31", day(2026, 3, 31)), ("2026-03", day(2026, 3, 1)), ("2026", day(2026, 1, 1))] {
        assert_eq!(only(&format!("after:{text}")), Ask::After(date));
        assert_eq!(only(&format!("BEFORE:\"{text}\"")), Ask::Before(date));
    }
    for (text, length, printed) in [
        ("<60", Length::Below(60_000), "<60"),
        ("<=1.5m", Length::AtMost(90_000), "<=90"),
        (">1H", Length::Above(3_600_000), ">3600"),
        (">=0.25s", Length::AtLeast(250), ">=0.25"),
        ("60..120", Length::Between(60_000, 120_000), "60..120"),
        ("1..2m", Length::Between(60_000, 120_000), "60..120"),
        ("30s..2m", Length::Between(30_000, 120_000), "30..120"),
    ] {
        assert_eq!(only(&format!("duration:{text}")), Ask::Duration(length), "{text}");
        assert_eq!(length.to_string(), printed);
    }
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    let many = "tag:a ".repeat(MAX_OPERATORS + 1);
    let long = "x".repeat(MAX_CHARS + 1);
    for (text, code, first, end) in [
        ("tag:", "empty_value", 1, 5),
        ("a tag: b", "empty_value", 3, 7),
        ("a -person:\"\" b", "empty_value", 3, 13),
        ("lang:korean", "invalid_language", 6, 12),
        ("비 duration:60", "invalid_duration", 12, 14),
        ("duration:2m..1m", "invalid_duration", 10, 16),
        ("duration:<1e3", "invalid_duration", 10, 14),
        ("duration:<999999999h", "invalid_duration", 10, 21),
        ("after:2026-13", "invalid_date", 7, 14),
        ("rain after:2026-02-30", "invalid_date", 12, 22),
        ("before:\"last week\"", "invalid_date", 8, 19),
        ("said:!", "invalid_value", 6, 7),
        (many.as_str(), "too_many_operators", 193, 198),
        (long.as_str(), "too_long", 1001, 1002),
    ] {
        let fault = parse(text).unwrap_err();
        assert_eq!((fault.code, fault.columns), (code, Columns { first, end }), "{text}: {}", fault.sentence);
    }
}

#[test]
fn whatever_is_no_operator_is_text() {
    for text in
        ["http://x", "note: hello", "subtitle:x", "(tag:car)", "12:30", "a - b", "-- a", "-!", "a:b:c", "tag", "-"]
    {
        let parsed = read(text);
        assert!(parsed.operators.is_empty(), "{text}: {parsed:?}");
        assert_eq!(parsed.to_string(), text);
    }
    assert_eq!(read("\"tag:\" \"person:x\"").free(), "\"tag:\" \"person:x\"");
}

#[test]
fn quotes_may_be_open_curly_or_empty() {
    assert_eq!(read("it was \"the best  of").free(), "it was \"the best of\"");
    assert_eq!(only("person:“Minji\u{7}Kim”"), Ask::Person("Minji Kim".into()));
    assert_eq!(only("title:\"a b"), Ask::Title("a b".into()));
    assert_eq!(read("\"\" -\"\" \" \""), Parsed::default());
    // A quote ends a word.
    assert_eq!(read("tag:a\"b\"c").to_string(), "\"b\" c tag:a");
}

#[test]
fn words_that_say_nothing_are_not_looked_for() {
    assert_eq!(read("tag:a or tag:b").free(), "");
    assert!(read("tag:a or tag:b").is_stray_or());
    assert_eq!(read("cat or dog tag:b").free(), "cat or dog");
    assert_eq!(read("or").free(), "or");
    assert_eq!(read("tag:a !").free(), "");
    assert_eq!(read("said:\"good day\" -said:no said:ann").said(), "good day ann");
}

/// Anything, and what looks like a query but often is none.
fn queries() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "(?s).{0,6}",
        "-?[a-zA-Z가-힣]{1,6}",
        "-?(person|TAG|text|said|title|after|before|duration|lang):",
        "[\"“” \u{7}-]{1,3}",
        "(2026|2026-02|2026-02-30|<60|>=1\\.5m|60\\.\\.2m|1\\.\\.2h|ko|korean) ?",
    ];
    let pieces = proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![
        "(?s).{0,1200}",
        pieces,
        proptest::collection::vec(operator_text(), 0..34).prop_map(|all| all.join(" "))
    ]
}

/// An operator without a mistake.
fn operator_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(person|tag|text|said|title):[a-z가-힣]{1,8}",
        "-?(person|tag|text|said|title):\"[a-z:<-]{1,4}  ?[a-z가-힣]{1,4}\"",
        "-?(after|before):20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        "-?duration:(<|<=|>|>=)[1-9][0-9]{0,3}(\\.[0-9]{1,3})?[smh]?",
        "-?lang:[a-zA-Z]{2}",
        "-[a-z]{1,8}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_a_mistake_within_it(text in queries()) {
        let length = text.chars().count();
        match parse(&text) {
            Ok(parsed) => {
                let mut behind = 1;
                for Operator { excluded, columns, .. } in &parsed.operators {
                    prop_assert!(behind <= columns.first && columns.first < columns.end && columns.end <= length + 1);
                    prop_assert_eq!(text.chars().nth(columns.first - 1) == Some('-'), *excluded);
                    behind = columns.end;
                }
                prop_assert!(!parsed.to_string().chars().any(char::is_control));
            }
            Err(Fault { columns, sentence, .. }) => {
                prop_assert!(1 <= columns.first && columns.first < columns.end && columns.end <= length + 1);
                prop_assert!(!sentence.is_empty());
            }
        }
    }

    #[test]
    fn what_is_printed_means_the_same(text in queries()) {
        if let Ok(parsed) = parse(&text) {
            let printed = parsed.to_string();
            prop_assume!(printed.chars().count() <= MAX_CHARS);
            let again = read(&printed);
            prop_assert_eq!(&again.terms, &parsed.terms);
            prop_assert_eq!(asks(&again), asks(&parsed));
            prop_assert_eq!(again.to_string(), printed);
        }
    }

    #[test]
    fn the_order_of_operators_means_nothing(
        (one, other) in proptest::collection::vec(operator_text(), 0..20)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        word in "[a-z]{1,8}",
    ) {
        let sorted = |parsed: &Parsed| {
            let mut all: Vec<String> = parsed.operators.iter().map(Operator::to_string).collect();
            all.sort();
            all
        };
        let (one, other) = (read(&format!("{} {word}", one.join(" "))), read(&format!("{word} {}", other.join(" "))));
        prop_assert_eq!(sorted(&one), sorted(&other));
        prop_assert_eq!(one.free(), other.free());
    }
}
