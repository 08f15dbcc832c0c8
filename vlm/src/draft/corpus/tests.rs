//! What a corpus keeps, and that nothing tells what it kept before.

use proptest::prelude::*;

use super::*;
use crate::draft::{Drafter, Signs};

/// Few different tokens and texts, so that texts are alike and some are said again.
fn said() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let text = prop_oneof![prop::collection::vec(0_u32..6, 1..24), prop::collection::vec(0_u32..2, 1..4)];
    prop::collection::vec(text, 1..30)
}

/// All that a corpus foretells on the way through a text.
fn foretold(corpus: &Corpus, text: &[u32]) -> Vec<(Vec<(u32, f64)>, usize)> {
    let mut context: Context = [NOTHING; REACH];
    let each = text.iter().map(|token| {
        context.rotate_left(1);
        context[REACH - 1] = *token;
        let mut found = Vec::new();
        let longest = corpus.history.foretell(&context, &mut found);
        (found, longest)
    });
    each.collect()
}

/// What a drafter drafts from a corpus on the way through an answer.
fn drafts(corpus: &Corpus, text: &[u32]) -> Vec<Vec<(u32, Option<usize>)>> {
    let mut drafter = Drafter::new(Signs::none());
    drafter.begin(&[7, 8]);
    let each = text.iter().map(|token| {
        drafter.accept(corpus, &[*token]);
        drafter.draft(corpus, 8, 0.0).nodes().iter().map(|node| (node.token, node.parent)).collect()
    });
    each.collect()
}

proptest! {
    #[test]
    fn it_is_as_if_only_the_newest_texts_that_fit_had_been_said(said in said(), room in 0_usize..90, cut in 0_usize..30) {
        // The texts that fit, told another way: from the last, every one once.
        let mut kept: Vec<&Vec<u32>> = Vec::new();
        for text in said.iter().rev().filter(|text| !text.is_empty()) {
            let size = kept.iter().map(|text| text.len()).sum::<usize>() + text.len();
            if kept.contains(&text) {
                continue;
            }
            if size > room && !kept.is_empty() {
                break;
            }
            kept.insert(0, text);
        }
        let vocabulary = VocabularyId { size: 6, hash: 1 };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("corpus");
        let (mut corpus, mut restarted, mut fresh) = (Corpus::new(room), Corpus::new(room), Corpus::new(usize::MAX));
        for (number, text) in said.iter().enumerate() {
            corpus.add(&[], text);
            restarted.add(&[], text);
            if number == cut {
                restarted.save(&path, vocabulary).unwrap();
                restarted = Corpus::open(&path, vocabulary, room).unwrap();
            }
        }
        kept.iter().for_each(|text| fresh.add(&[], text));
        for corpus in [&corpus, &restarted] {
            prop_assert!(corpus.texts().eq(kept.iter().map(|text| &text[..])));
            prop_assert_eq!(corpus.tokens(), fresh.tokens());
            prop_assert_eq!(corpus.history.chains(), fresh.history.chains());
            prop_assert_eq!(corpus.known.len(), kept.len());
            for text in &said {
                prop_assert_eq!(foretold(corpus, text), foretold(&fresh, text));
                prop_assert_eq!(drafts(corpus, text), drafts(&fresh, text));
            }
        }
    }
}

#[test]
fn an_answer_that_is_given_a_thousand_times_drives_out_nothing() {
    let mut corpus = Corpus::new(20);
    corpus.add(&[], &[1, 2, 3, 4]);
    (0..1000).for_each(|_| corpus.add(&[9], &[5, 6, 7]));
    let texts: Vec<_> = corpus.texts().collect();
    assert_eq!(texts, [&[1, 2, 3, 4][..], &[9, 5, 6, 7]]);
}

#[test]
fn what_was_said_ten_thousand_texts_ago_is_still_foretold() {
    let mut corpus = Corpus::new(usize::MAX);
    corpus.add(&[], &[1, 2, 3]);
    (0..10_000).for_each(|number| corpus.add(&[], &[10 + number, 5]));
    let found = foretold(&corpus, &[1, 2]).pop();
    assert!(found.is_some_and(|(found, longest)| found[0].0 == 3 && found[0].1 > 0.0 && longest == 2));
}

#[test]
fn of_merged_files_all_lose_their_oldest() {
    let files = [vec![vec![1, 1], vec![2, 2], vec![3, 3]], vec![vec![4, 4], vec![3, 3]], vec![]];
    let texts = |room| Corpus::merged(&files, room).texts().map(|text| text[0]).collect::<Vec<_>>();
    assert_eq!(texts(100), [1, 2, 4, 3]);
    assert_eq!(texts(6), [2, 4, 3]);
}

#[test]
fn the_share_that_is_foretold_leaves_out_the_text_itself() {
    let lead = [9; LEAD];
    let mut corpus = Corpus::new(usize::MAX);
    corpus.add(&lead, &[1, 2, 3, 4]);
    assert_eq!(corpus.foretold(), 0.0);
    let before: Vec<_> = corpus.texts().map(<[u32]>::to_vec).collect();
    // Its 2 and 3 are as in the other, and what follows neither is; so it is the other way round.
    corpus.add(&lead, &[1, 2, 3, 5]);
    assert_eq!(corpus.foretold(), 0.75);
    assert_eq!(corpus.texts().next(), before.first().map(Vec::as_slice));
}

#[test]
fn the_memory_that_it_says_it_takes_is_what_it_takes() {
    let mut corpus = Corpus::new(20_000);
    let text = |number: u32| (0..150).map(move |at: u32| (at * number * 2_654_435_761_u32.wrapping_mul(at)) % 5000);
    let taken = allocation_counter::measure(|| {
        (0..400_u32).for_each(|number| corpus.add(&[], &text(number).collect::<Vec<_>>()));
    });
    let [said, is] = [corpus.memory_bytes() as f64, taken.bytes_current as f64];
    assert!((said / is - 1.0).abs() < 0.05, "{said} bytes, and {is} are taken");
}
