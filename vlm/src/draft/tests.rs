//! Drafts on made-up texts, and on judgments of a drive.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::history::History;
use super::*;

proptest! {
    #[test]
    fn what_is_evicted_leaves_nothing_behind(
        texts in prop::collection::vec(prop::collection::vec(0_u32..6, 0..30), 1..12), room in 1_usize..60,
    ) {
        let mut history = History::new(room);
        for text in &texts {
            history.begin();
            history.extend(text);
        }
        // A history that only ever heard the texts that are left knows the same places.
        let mut kept = texts.len() - 1;
        let size = |from: usize| texts[from..].iter().map(|text| text.len() + 1).sum::<usize>();
        while kept > 0 && size(kept - 1) <= room {
            kept -= 1;
        }
        let mut fresh = History::new(usize::MAX);
        for text in &texts[kept..] {
            fresh.begin();
            fresh.extend(text);
        }
        prop_assert_eq!((history.len(), history.places()), (fresh.len(), fresh.places()));
        let mut context = [NOTHING; REACH];
        let mut found = [Vec::new(), Vec::new()];
        for token in texts.iter().flatten() {
            context.rotate_left(1);
            context[REACH - 1] = *token;
            history.foretell(&context, &mut found[0]);
            fresh.foretell(&context, &mut found[1]);
            prop_assert_eq!(&found[0], &found[1]);
        }
    }
}

#[test]
fn a_tree_holds_what_is_likeliest_and_tells_the_branch_that_was_right() {
    let mut tree = Tree::default();
    let mut context = [NOTHING; REACH];
    context[REACH - 1] = 1;
    // After 1 comes 2 or, less often, 5; after 2 comes 3; after anything else nothing.
    tree.grow(3, context, |context, found| {
        found.clear();
        match context[REACH - 1] {
            1 => found.extend([(2, 0.7), (5, 0.3)]),
            2 => found.push((3, 0.9)),
            _ => (),
        }
    });
    let nodes: Vec<_> = tree.nodes().iter().map(|node| (node.token, node.parent)).collect();
    assert_eq!(nodes, [(2, None), (3, Some(0)), (5, None)]);
    assert_eq!(tree.ancestors(), [0b1, 0b11, 0b100]);
    let accepted = |said: &[u32]| tree.accepted(|last| said.get(last.map_or(0, |last| last + 1)).copied());
    assert_eq!(accepted(&[2, 3, 9, 9]), [0, 1]);
    assert_eq!(accepted(&[5, 0, 0, 7]), [2]);
    assert_eq!(accepted(&[4, 0, 0, 0]), [0; 0]);
    assert_eq!(accepted(&[2]), [0]);
    // Without 2, what comes after it goes too; 5 moves up.
    tree.prune(|branch| if branch[0] == 2 { 0 } else { branch.len() });
    let nodes: Vec<_> = tree.nodes().iter().map(|node| (node.token, node.parent)).collect();
    assert_eq!(nodes, [(5, None)]);
}
