//! Answers of many requests at once against those of one at a time.

#![allow(clippy::unwrap_used)]

mod images;

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::company::{Company, Said, alone, together};
use super::*;
use crate::format::Format;
use crate::grammar::Grammars;
use crate::grammar::tests::characters;
use crate::model::tests::quantized;

fn engine(limits: Limits) -> Engine {
    // A token costs a fiftieth of a pass, so that most drafts pay.
    Engine::new(quantized(Format::Q4_0), Signs::none(), Curve::new([(1, 1.0), (51, 2.0)]), limits)
}

/// Requests like each other and unlike, greedy and sampled.
fn requests(count: usize) -> Vec<Request> {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let beginnings: Vec<Vec<u32>> = (0..3).map(|_| (0..40).map(|_| random.random_range(3..61)).collect()).collect();
    let request = |number: usize| {
        let mut prompt = beginnings[number % 3][..random.random_range(1..40)].to_vec();
        prompt.extend((0..random.random_range(0..9)).map(|_| random.random_range(3..61)));
        let sampled = Sampling { temperature: 0.6, top_k: 20, top_p: 0.9, seed: number as u64 };
        Request {
            prompt,
            session: number.is_multiple_of(2).then(|| format!("session {}", number % 6)),
            most: random.random_range(1..48),
            sampling: if number % 4 == 3 { sampled } else { Sampling::GREEDY },
            ends: vec![2],
            grammar: None,
            priority: (number % 5) as i32,
        }
    };
    (0..count).map(request).collect()
}

/// What is said to requests that come when they come, of which some are cancelled where a seed is given; and how many of
/// the tokens of whole answers were drafted.
fn answers(engine: &mut Engine, requests: &[Request], seed: u64) -> (BTreeMap<usize, (Vec<u32>, End)>, usize) {
    let cancels = if seed > 0 { 0.2 } else { 0.0 };
    let Company { said, .. } = together(engine, requests, cancels, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
    assert_eq!(engine.pages.available(), engine.limits.pages, "pages were lost");
    let mut accepted = 0;
    let whole = said.into_iter().enumerate().filter_map(|(number, said)| {
        assert_eq!(said.usage.said, said.tokens.len());
        accepted += said.end.map_or(0, |_| said.usage.accepted);
        Some((number, (said.tokens, said.end?)))
    });
    (whole.collect(), accepted)
}

#[test]
fn answers_are_the_same_with_any_drafts_in_any_company_and_with_too_few_pages() {
    let requests = requests(60);
    let plain = Limits { running: 1, draft: 0, waiting: 1000, ..Limits::default() };
    let (wanted, accepted) = answers(&mut engine(plain), &requests, 0);
    assert_eq!(accepted, 0);
    assert_eq!(wanted.len(), requests.len());
    assert!(wanted.values().any(|(said, _)| said.len() > 30));
    for (seed, draft, running, pages, chunk) in
        [(0, 8, 1, 64, 256), (1, 63, 4, 64, 7), (2, 16, 32, 200, 64), (3, 32, 16, 12, 30), (4, 3, 6, 9, 1000)]
    {
        let limits = Limits { pages, running, chunk, draft, waiting: 1000, ..Limits::default() };
        let mut engine = engine(limits);
        // A second time it knows what it will say.
        for round in 0..2 {
            let (found, accepted) = answers(&mut engine, &requests, seed);
            let said: usize = found.values().map(|(said, _)| said.len()).sum();
            println!("{limits:?} round {round}: {accepted} of {said} tokens drafted");
            assert!(found.len() > requests.len() / 2);
            assert!(round == 0 || accepted > said / 2, "{accepted} of {said}");
            for (number, found) in found {
                assert_eq!(found, wanted[&number], "{limits:?} round {round} request {number}");
            }
        }
    }
}

#[test]
fn what_was_said_before_is_said_in_fewer_passes() {
    let mut engine = engine(Limits::default());
    let prompt: Vec<u32> = (3..40).collect();
    let request = Request {
        prompt,
        session: None,
        most: 40,
        sampling: Sampling::GREEDY,
        ends: vec![],
        grammar: None,
        priority: 0,
    };
    let mut usages = Vec::new();
    for _ in 0..2 {
        engine.submit(request.clone()).unwrap();
        let mut last = Vec::new();
        while !engine.is_idle() {
            last = engine.step();
        }
        assert_eq!(last[0].end, Some(End::Length));
        usages.push(last[0].usage);
    }
    let [first, second] = [usages[0], usages[1]];
    assert_eq!((first.cached, second.cached), (0, 32));
    assert_eq!((second.said, second.prompt), (40, 37));
    // The answer was heard: the first token comes of the prompt, the others of the corpus.
    assert!(second.steps <= 4 && second.accepted >= 36, "{first:?} {second:?}");
}

#[test]
fn who_has_priority_goes_first() {
    let mut engine = engine(Limits { running: 1, ..Limits::default() });
    let request = |priority| Request {
        prompt: vec![5, 6],
        session: None,
        most: 2,
        sampling: Sampling::GREEDY,
        ends: vec![],
        grammar: None,
        priority,
    };
    let ids: Vec<_> = [0, 3, 1, 3].map(|priority| engine.submit(request(priority)).unwrap()).into();
    let mut order = Vec::new();
    while !engine.is_idle() {
        order.extend(engine.step().into_iter().filter(|event| event.end.is_some()).map(|event| event.id));
    }
    assert_eq!(order, [ids[1], ids[3], ids[2], ids[0]]);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let mut engine = engine(Limits { pages: 2, waiting: 1, ..Limits::default() });
    let request = |prompt: Vec<u32>, most| Request {
        prompt,
        session: None,
        most,
        sampling: Sampling::GREEDY,
        ends: vec![],
        grammar: None,
        priority: 0,
    };
    assert_eq!(engine.submit(request(vec![], 4)), Err(Refused::Empty));
    assert_eq!(engine.submit(request(vec![1, 61], 4)), Err(Refused::UnknownToken(61)));
    assert_eq!(engine.submit(request(vec![1; 30], 4)), Err(Refused::TooLong { asked: 34, room: 32 }));
    assert_eq!(engine.submit(request(vec![1; 3], usize::MAX)), Err(Refused::TooLong { asked: usize::MAX, room: 32 }));
    assert!(engine.submit(request(vec![1; 28], 4)).is_ok());
    assert_eq!(engine.submit(request(vec![1], 4)), Err(Refused::Busy(1)));
}

/// An answer one token at a time, with all that the grammar allows at each place before the model.
fn one_by_one(request: &Request) -> Vec<u32> {
    let model = quantized(Format::Q4_0);
    let mut cache = Cache::new(model.shape(), Precision::Half, 16);
    let pages: Vec<u32> = (0..16).collect();
    let mut room = Workspace::default();
    let mut progress = request.grammar.as_ref().unwrap().begin();
    let (mut tokens, mut before) = (request.prompt.clone(), 0);
    loop {
        let said = tokens.len() - request.prompt.len();
        if said == request.most || progress.is_over() {
            return tokens.split_off(request.prompt.len());
        }
        let wanted_from = tokens.len() - before - 1;
        let span = Span { pages: &pages, before, tokens: &tokens[before..], ancestors: Ancestors::All, wanted_from };
        let logits = model.forward(&mut cache, &[span], &mut room);
        let token = request.sampling.choose(logits, said, Some(&progress.allowed().unwrap()));
        before = tokens.len();
        if request.ends.contains(&token) {
            return tokens.split_off(request.prompt.len());
        }
        progress.go_on(token).unwrap();
        tokens.push(token);
    }
}

#[test]
fn answers_obey_their_grammar_and_are_the_same_with_drafts_and_with_what_is_forced() {
    let tokenizer = characters();
    let grammars = Grammars::new(tokenizer.clone()).unwrap();
    let grammars = [
        grammars.lark(
            r#"start: "{act:" ("stop" | "go_on" | "slow_down" | "turn_" ("left" | "right")) ",n:" /[0-9]{1,4}/ "}""#,
        ),
        grammars.lark(r#"start: ("car" | "cat" | "dog")+ "!""#),
        grammars.lark(r#"start: /[a-f]*/"#),
    ]
    .map(Result::unwrap);
    let requests: Vec<Request> = requests(60)
        .into_iter()
        .enumerate()
        .map(|(number, request)| Request { grammar: Some(grammars[number % 3].clone()), ..request })
        .collect();
    let wanted: Vec<Vec<u32>> = requests.iter().map(one_by_one).collect();
    let first = tokenizer.decode(wanted.iter().step_by(3).max_by_key(|said| said.len()).unwrap());
    assert!(first.starts_with("{act:") && first.ends_with('}'), "{first}");
    for (seed, draft, running) in [(0, 0, 1), (1, 8, 4), (2, 63, 32)] {
        let mut engine = engine(Limits { draft, running, waiting: 1000, ..Limits::default() });
        for _ in 0..2 {
            for (number, (said, end)) in answers(&mut engine, &requests, seed).0 {
                assert_eq!(said, wanted[number], "{draft} drafted, request {number}");
                assert!(end != End::Stuck);
            }
        }
    }
}

#[test]
fn a_single_other_token_is_a_difference() {
    let request = requests(1).remove(0);
    let mut engine = engine(Limits { draft: 0, ..Limits::default() });
    let wanted = alone(&mut engine, &Request { most: 20, ends: vec![], ..request.clone() }).unwrap();
    assert_eq!((wanted.tokens.len(), wanted.end, wanted.usage.cached), (20, Some(End::Length), 0));
    assert_eq!(alone(&mut engine, &Request { most: 20, ends: vec![], ..request }).unwrap(), wanted);
    let like = |change: fn(&mut Said)| {
        let mut said = wanted.clone();
        change(&mut said);
        said.differing(&wanted)
    };
    assert_eq!(like(|_| ()), 0);
    assert_eq!(like(|said| said.tokens[7] ^= 1), 1);
    assert_eq!(like(|said| said.tokens.truncate(18)), 2);
    assert_eq!(like(|said| said.tokens.push(4)), 1);
    assert_eq!(like(|said| said.end = Some(End::Said)), 1);
    // Who was cancelled has no more tokens than were said until then.
    assert_eq!(like(|said| (said.end, said.tokens) = (None, said.tokens[..9].to_vec())), 0);
    assert_eq!(like(|said| (said.end, said.tokens) = (None, vec![said.tokens[0] ^ 1])), 1);
}
