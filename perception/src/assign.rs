//! The assignment of rows to columns at the least total cost.

/// For each row its column, at the least sum of costs; as many pairs as there are rows or columns, whichever is fewer.
///
/// `cost(row, column)` must be finite; give pairs that must not be a large cost and drop them afterwards. Kuhn's
/// method with potentials (Jonker and Volgenant 1987), O(n²m). Where several assignments cost the same, the order of
/// rows and columns decides, so that equal input gives equal output.
pub fn assign(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<Option<usize>> {
    if rows <= columns {
        return shortest_paths(rows, columns, cost).into_iter().map(Some).collect();
    }
    let mut column_of = vec![None; rows];
    for (column, row) in shortest_paths(columns, rows, |column, row| cost(row, column)).into_iter().enumerate() {
        column_of[row] = Some(column);
    }
    column_of
}

/// For each row its column, where there are at least as many columns as rows.
fn shortest_paths(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    // Column 0 is a virtual one at which each search starts; rows and columns count from 1.
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut least = vec![f64::INFINITY; columns + 1];
        let mut came_from = vec![0; columns + 1];
        let mut done = vec![false; columns + 1];
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
    let mut column_of = vec![0; rows];
    for column in 1..=columns {
        if row_of[column] > 0 {
            column_of[row_of[column] - 1] = column - 1;
        }
    }
    column_of
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
        for (rows, columns) in [(1, 1), (3, 3), (5, 5), (2, 5), (5, 2), (6, 4)] {
            let costs: Vec<Vec<f64>> =
                (0..rows).map(|_| (0..columns).map(|_| random.random_range(-5.0..10.0)).collect()).collect();
            let assigned = assign(rows, columns, |row, column| costs[row][column]);
            let best = exhaustive(&costs, &mut vec![false; columns], 0, rows.saturating_sub(columns));
            assert!((total(&assigned, &costs) - best).abs() < 1e-9, "{rows} × {columns}");
            let mut used: Vec<_> = assigned.iter().flatten().collect();
            used.sort();
            used.dedup();
            assert_eq!(used.len(), rows.min(columns));
        }
    }

    #[test]
    fn nothing_is_assigned_to_nothing() {
        assert!(assign(0, 3, |_, _| 0.0).is_empty());
        assert_eq!(assign(2, 0, |_, _| 0.0), [None, None]);
    }
}
