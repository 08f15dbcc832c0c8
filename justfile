# Format, lints, tests and documentation: what has to hold before a change lands.
check: fmt clippy test doc

fmt:
    cargo fmt --all --check

clippy:
    cargo clippy --release --workspace --all-targets -- -D warnings

test:
    cargo test --release

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps

# Speed of one planner cycle and of the scorer.
bench:
    cargo bench --bench cycle --bench score

# Licences, advisories and duplicate crates (needs cargo-deny).
deny:
    cargo deny check

# Damaged input to every parser of the slow system, for so many cases each.
fuzz cases="20000":
    PROPTEST_CASES={{cases}} cargo test --release -p tandem -p tandem-vlm --test fuzz --test gguf_damaged
