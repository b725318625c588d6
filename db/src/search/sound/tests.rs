use proptest::prelude::*;

use super::{ENOUGH, ENOUGH_AS_NAME, NEARLY, PARTLY, Query, Script, WHOLE, keys, weight};

fn in_sentence(name: &str, query: &str) -> f64 {
    weight(name, &Query::sentence(query))
}

fn as_name(name: &str, query: &str) -> f64 {
    weight(name, &Query::name(query))
}

#[track_caller]
fn is(found: f64, expected: f64, name: &str, query: &str) {
    assert!((found - expected).abs() < f64::EPSILON, "{name} in {query}: {found} instead of {expected}");
}

#[test]
fn a_whole_name_is_heard_in_another_script_both_ways() {
    for (one, other) in [
        ("민지", "Minji"),
        ("오바마", "Obama"),
        ("김민지", "Kim Minji"),
        ("김민지", "minji kim"),
        ("김민지", "Kim Min-ji"),
        ("Обама", "Obama"),
        ("Барак Обама", "Barack Obama"),
        ("オバマ", "Obama"),
        ("オバマ", "오바마"),
        ("박지성", "Park Ji-sung"),
        ("이병헌", "Lee Byung-hun"),
        ("최민식", "Choi Min-sik"),
        ("손흥민", "Heung-min Son"),
        ("봉준호", "Bong Joon-ho"),
        ("유재석", "Yoo Jae-suk"),
        ("전지현", "Jun Ji-hyun"),
        ("김연아", "Yuna Kim"),
        ("정국", "Jungkook"),
        ("서준", "Seo-joon"),
        ("다니엘", "Daniel"),
        ("クリントン", "Clinton"),
        ("シンジ", "Shinji"),
        ("とうじょう", "Tōjō"),
        ("习近平", "Xi Jinping"),
        ("习近平", "시진핑"),
        ("毛泽东", "Mao Zedong"),
        ("Юлия", "Yulia"),
    ] {
        let expected = if other == "Tōjō" { PARTLY } else { WHOLE };
        is(as_name(one, other), expected, one, other);
        is(as_name(other, one), expected, other, one);
        is(in_sentence(other, one), expected, other, one);
    }
}

#[test]
fn a_name_is_heard_among_other_words() {
    for (name, query, expected) in [
        ("Minji", "민지가 우는 장면", WHOLE),
        ("민지", "minji is crying", WHOLE),
        ("김민지", "kim min ji dancing", WHOLE),
        ("Minji 민지", "ミンジ", WHOLE),
        ("Obama", "オバマが話す", WHOLE),
        ("Sakura", "さくらが泣く", WHOLE),
        ("Xi Jinping", "习近平在演讲", WHOLE),
        ("Barack Obama", "오바마가 연설하는 장면", PARTLY),
        ("Donald Trump", "트럼프", PARTLY),
        ("Angela Merkel", "메르켈", PARTLY),
        ("Владимир Путин", "putin speaks", PARTLY),
        ("김민지", "minji", PARTLY),
        ("Elon Musk", "일론 머스크", NEARLY),
        ("Joe Biden", "조 바이든", NEARLY),
        ("Joe Biden", "조 바이든이 연설한다", NEARLY),
        ("Eileen Collins", "アイリーン・コリンズ", NEARLY),
    ] {
        is(in_sentence(name, query), expected, name, query);
    }
}

#[test]
fn a_short_name_is_heard_where_nothing_else_is() {
    is(in_sentence("Sarah", "사라"), PARTLY, "Sarah", "사라");
    is(in_sentence("Mary", "강아지 두 마리"), 0.0, "Mary", "강아지 두 마리");
    is(as_name("지수", "Jisoo"), PARTLY, "지수", "Jisoo");
    is(in_sentence("Anna", "안나"), 0.0, "Anna", "안나");
    is(as_name("Anna", "안나"), PARTLY, "Anna", "안나");
    is(as_name("Ben", "벤"), PARTLY, "Ben", "벤");
}

#[test]
fn other_words_and_other_names_name_nobody() {
    for (name, query) in [
        ("Minsu", "민지"),
        ("민지", "Minsu"),
        ("Kim Minju", "김민지"),
        ("Kim Hajun", "김해준"),
        ("Minjun", "민선"),
        ("Joe Biden", "조 보든스"),
        ("Ann Lee", "안녕 나라"),
        ("Sarah", "사람이 걷는 장면"),
        ("Igor", "이것"),
        ("Igor", "이거"),
        ("Nora", "노래"),
        ("Molly", "머리"),
        ("Sachin", "사진"),
        ("Dennis", "테니스"),
        ("Diane", "天鹅"),
        ("Emma", "엄마"),
        ("Toshi", "도시 야경"),
        ("Li Na", "这里那个"),
        ("지수", "is it jeez"),
        ("한나", "hand"),
        // Within one script letters are compared, elsewhere.
        ("Minji", "Minji"),
        ("민지", "민지"),
        ("Minji", ""),
        ("", "민지"),
        ("!?", "…"),
    ] {
        is(in_sentence(name, query), 0.0, name, query);
        is(as_name(name, query), 0.0, name, query);
    }
}

proptest! {
    #[test]
    fn any_text_is_listened_to(name in "\\PC{0,40}", query in "\\PC{0,80}") {
        let heard = in_sentence(&name, &query);
        prop_assert!((0.0..=WHOLE).contains(&heard));
        prop_assert!((0.0..=WHOLE).contains(&as_name(&name, &query)));
    }

    #[test]
    fn a_korean_name_is_heard_as_it_is_transcribed(name in "[가-힣]{2,4}") {
        let transcribed = any_ascii::any_ascii(&name);
        let expected = match keys(Script::Hangul, &[name.as_str()])[0].len() {
            ENOUGH.. => WHOLE,
            ENOUGH_AS_NAME.. => PARTLY,
            _ => 0.0,
        };
        is(as_name(&name, &transcribed), expected, &name, &transcribed);
        is(as_name(&transcribed, &name), expected, &transcribed, &name);
    }

    #[test]
    fn within_a_script_nothing_is_heard(name in "[a-z]{3,9}( [a-z]{3,9})?", query in "[a-z ]{0,30}") {
        prop_assert!(in_sentence(&name, &query) <= 0.0);
    }
}
