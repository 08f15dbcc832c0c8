//! Trees of drafted tokens.

use super::*;

#[test]
fn a_tree_holds_what_is_likeliest_and_tells_the_branch_that_was_right() {
    let mut tree = Tree::default();
    let mut context = [NOTHING; REACH];
    context[REACH - 1] = 1;
    // After 1 comes 2 or, less often, 5; after 2 comes 3; after anything else nothing.
    let foretell = |context: &Context, found: &mut Vec<(u32, f64)>| {
        found.clear();
        match context[REACH - 1] {
            1 => found.extend([(2, 0.7), (5, 0.3)]),
            2 => found.push((3, 0.9)),
            _ => (),
        }
    };
    tree.grow(3, 0.0, context, foretell);
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
    // 2 with 0.7 and 3 after it with 0.63; 5 with 0.3 is too improbable.
    tree.grow(3, 0.5, context, foretell);
    assert_eq!(tree.nodes().len(), 2);
}
