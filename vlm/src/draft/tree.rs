//! Trees of drafted tokens.

use super::{Context, REACH};

/// A drafted token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// The token.
    pub token: u32,
    /// The node before it; `None` if it is the first after what is known.
    pub parent: Option<usize>,
    /// How probable it is that all goes as on the branch up to here.
    pub probability: f64,
}

/// Drafted tokens, every one behind its parent, the most probable first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// A token that may become a node.
#[derive(Debug, Clone, PartialEq)]
struct Open {
    node: Node,
    context: Context,
}

/// Of what may come after a node, so many of the likeliest are thought of.
const WIDTH: usize = 4;

impl Tree {
    /// Its tokens.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Which of the tokens each token sees, itself among them, a bit each; for trees of up to 64.
    pub fn ancestors(&self) -> Vec<u64> {
        let mut ancestors: Vec<u64> = Vec::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            ancestors.push(node.parent.map_or(0, |parent| ancestors[parent]) | 1 << number);
        }
        ancestors
    }

    /// The longest branch on which every token is the one that `says` comes after those before it, if one does; the
    /// root's comes after none. The tokens' numbers are in order.
    pub fn accepted(&self, mut says: impl FnMut(Option<usize>) -> Option<u32>) -> Vec<usize> {
        let mut branch = Vec::new();
        loop {
            let last = branch.last().copied();
            let token = says(last);
            let next = self.nodes.iter().position(|node| node.parent == last && Some(node.token) == token);
            let Some(next) = next else { return branch };
            branch.push(next);
        }
    }

    /// Of nodes, each behind its parent.
    pub(super) fn of(nodes: Vec<Node>) -> Self {
        Self { nodes, open: Vec::new() }
    }

    /// One branch.
    pub(super) fn chain(tokens: &[u32]) -> Self {
        let mut tree = Self::default();
        tree.add_branch(tokens);
        tree
    }

    /// Adds a branch from the root, as far as it is not there.
    pub(super) fn add_branch(&mut self, tokens: &[u32]) {
        let mut parent = None;
        for token in tokens {
            let known = self.nodes.iter().position(|node| node.parent == parent && node.token == *token);
            parent = Some(known.unwrap_or_else(|| {
                self.nodes.push(Node { token: *token, parent, probability: 1.0 });
                self.nodes.len() - 1
            }));
        }
    }

    /// Leaves only what `allowed` says can come: of the tokens of a branch in order, how many.
    pub(crate) fn prune(&mut self, mut allowed: impl FnMut(&[u32]) -> usize) {
        let is_parent = |number: &usize| self.nodes[number + 1..].iter().any(|node| node.parent == Some(*number));
        let leaves: Vec<usize> = (0..self.nodes.len()).filter(|number| !is_parent(number)).collect();
        let mut kept = vec![false; self.nodes.len()];
        for leaf in leaves {
            let mut branch: Vec<usize> =
                std::iter::successors(Some(leaf), |number| self.nodes[*number].parent).collect();
            branch.reverse();
            let tokens: Vec<u32> = branch.iter().map(|number| self.nodes[*number].token).collect();
            branch[..allowed(&tokens)].iter().for_each(|number| kept[*number] = true);
        }
        let mut places = Vec::with_capacity(kept.len());
        let mut left = 0;
        for is_kept in &kept {
            places.push(left);
            left += usize::from(*is_kept);
        }
        let mut number = 0;
        self.nodes.retain_mut(|node| {
            node.parent = node.parent.map(|parent| places[parent]);
            number += 1;
            kept[number - 1]
        });
    }

    /// Leaves only the first tokens.
    pub fn truncate(&mut self, count: usize) {
        self.nodes.truncate(count);
    }

    /// Becomes the `budget` most probable tokens after a context, as far as they are at least as probable as `least`;
    /// `foretell` says what comes after one, the likeliest first.
    pub(super) fn grow(
        &mut self,
        budget: usize,
        least: f64,
        context: Context,
        mut foretell: impl FnMut(&Context, &mut Vec<(u32, f64)>),
    ) {
        self.nodes.clear();
        self.open.clear();
        let mut found = Vec::new();
        let mut look = |open: &mut Vec<Open>, parent: Option<usize>, context: &Context, probability: f64| {
            foretell(context, &mut found);
            let found = found.iter().take(WIDTH).filter(|(_, share)| probability * share >= least);
            open.extend(found.map(|(token, share)| {
                let mut after = *context;
                after.rotate_left(1);
                after[REACH - 1] = *token;
                Open { node: Node { token: *token, parent, probability: probability * share }, context: after }
            }));
        };
        look(&mut self.open, None, &context, 1.0);
        while self.nodes.len() < budget {
            // The first of equals, so that equal histories give equal drafts.
            let best = self
                .open
                .iter()
                .enumerate()
                .max_by(|(a, x), (b, y)| x.node.probability.total_cmp(&y.node.probability).then(b.cmp(a)));
            let Some(best) = best.map(|(number, _)| number) else { return };
            let Open { node, context } = self.open.remove(best);
            self.nodes.push(node);
            look(&mut self.open, Some(self.nodes.len() - 1), &context, node.probability);
        }
    }
}
