//! The assignment of rows to columns at the least total cost.

/// Assigns, in memory that it keeps from one time to the next.
#[derive(Debug, Clone, Default)]
pub struct Assigner {
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    row_of: Vec<usize>,
    least: Vec<f64>,
    came_from: Vec<usize>,
    done: Vec<bool>,
    column_of: Vec<Option<usize>>,
}

impl Assigner {
    /// For each row its column, at the least sum of costs; as many pairs as there are rows or columns, whichever is
    /// fewer.
    ///
    /// `cost(row, column)` must be finite; give pairs that must not be a large cost and drop them afterwards. Kuhn's
    /// method with potentials (Jonker and Volgenant 1987), O(n²m). Where several assignments cost the same, the order
    /// of rows and columns decides, so that equal input gives equal output.
    pub fn assign(&mut self, rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> &[Option<usize>] {
        filled(&mut self.column_of, rows, None);
        if rows <= columns {
            self.shortest_paths(rows, columns, cost);
            for (column, row) in self.row_of.iter().enumerate().skip(1).filter(|(_, row)| **row > 0) {
                self.column_of[row - 1] = Some(column - 1);
            }
        } else {
            self.shortest_paths(columns, rows, |column, row| cost(row, column));
            for (row, column) in self.row_of.iter().enumerate().skip(1).filter(|(_, column)| **column > 0) {
                self.column_of[row - 1] = Some(column - 1);
            }
        }
        &self.column_of
    }

    /// Finds for each column its row, where there are at least as many columns as rows. Column 0 is a virtual one at
    /// which each search starts; rows and columns count from 1, and row 0 is none.
    fn shortest_paths(&mut self, rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) {
        let Self { row_potential, column_potential, row_of, least, came_from, done, .. } = self;
        filled(row_potential, rows + 1, 0.0);
        filled(column_potential, columns + 1, 0.0);
        filled(row_of, columns + 1, 0);
        for row in 1..=rows {
            row_of[0] = row;
            filled(least, columns + 1, f64::INFINITY);
            filled(came_from, columns + 1, 0);
            filled(done, columns + 1, false);
            let mut column = 0;
            while row_of[column] != 0 {
                done[column] = true;
                let at = row_of[column];
                let (mut step, mut next) = (f64::INFINITY, 0);
                for candidate in (1..=columns).filter(|candidate| !done[*candidate]) {
                    let reduced = cost(at - 1, candidate - 1) - row_potential[at] - column_potential[candidate];
                    if reduced < least[candidate] {
                        least[candidate] = reduced;
                        came_from[candidate] = column;
                    }
                    if least[candidate] < step {
                        step = least[candidate];
                        next = candidate;
                    }
                }
                for reached in 0..=columns {
                    if done[reached] {
                        row_potential[row_of[reached]] += step;
                        column_potential[reached] -= step;
                    } else {
                        least[reached] -= step;
                    }
                }
                column = next;
            }
            while column != 0 {
                row_of[column] = row_of[came_from[column]];
                column = came_from[column];
            }
        }
    }
}

/// Makes a list one of so many equal values.
fn filled<T: Clone>(list: &mut Vec<T>, count: usize, value: T) {
    list.clear();
    list.resize(count, value);
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn total(assigned: &[Option<usize>], costs: &[Vec<f64>]) -> f64 {
        assigned.iter().enumerate().filter_map(|(row, column)| Some(costs[row][(*column)?])).sum()
    }

    /// The least total over all assignments, by trying them all.
    fn exhaustive(costs: &[Vec<f64>], taken: &mut Vec<bool>, row: usize, may_skip: usize) -> f64 {
        if row == costs.len() {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        if may_skip > 0 {
            best = exhaustive(costs, taken, row + 1, may_skip - 1);
        }
        for column in 0..taken.len() {
            if !taken[column] {
                taken[column] = true;
                best = best.min(costs[row][column] + exhaustive(costs, taken, row + 1, may_skip));
                taken[column] = false;
            }
        }
        best
    }

    #[test]
    fn it_costs_no_more_than_the_best_of_all_assignments() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        // One for all: what it remembers of a larger one must not matter.
        let mut assigner = Assigner::default();
        for (rows, columns) in [(1, 1), (3, 3), (5, 5), (2, 5), (5, 2), (6, 4)] {
            let costs: Vec<Vec<f64>> =
                (0..rows).map(|_| (0..columns).map(|_| random.random_range(-5.0..10.0)).collect()).collect();
            let assigned = assigner.assign(rows, columns, |row, column| costs[row][column]);
            let best = exhaustive(&costs, &mut vec![false; columns], 0, rows.saturating_sub(columns));
            assert!((total(assigned, &costs) - best).abs() < 1e-9, "{rows} × {columns}");
            let mut used: Vec<_> = assigned.iter().flatten().collect();
            used.sort();
            used.dedup();
            assert_eq!(used.len(), rows.min(columns));
        }
    }

    #[test]
    fn nothing_is_assigned_to_nothing() {
        assert!(Assigner::default().assign(0, 3, |_, _| 0.0).is_empty());
        assert_eq!(Assigner::default().assign(2, 0, |_, _| 0.0), [None, None]);
    }
}
