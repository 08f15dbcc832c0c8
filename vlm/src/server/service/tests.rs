//! Answers through threads against those of the engine alone.

#![allow(clippy::unwrap_used)]

use std::sync::mpsc::channel;

use super::*;
use crate::draft::Signs;
use crate::engine::{Curve, Limits, Sampling};
use crate::format::Format;
use crate::model::tests::quantized;

fn engine(limits: Limits) -> Engine {
    Engine::new(quantized(Format::Q4_0), Signs::none(), Curve::new([(1, 1.0), (51, 2.0)]), limits)
}

fn request(first: u32, most: usize) -> Request {
    let prompt = (first..first + 20).collect();
    Request { prompt, session: None, most, sampling: Sampling::GREEDY, ends: vec![], grammar: None, priority: 0 }
}

/// An answer's tokens, taken piece by piece.
fn taken(answer: &mut Answer) -> Result<(Vec<u32>, Piece), Failure> {
    let mut tokens = Vec::new();
    loop {
        let piece = answer.blocking_next()?;
        tokens.extend(&piece.tokens);
        if piece.end.is_some() {
            return Ok((tokens, piece));
        }
    }
}

/// A request's answer by an engine without a thread.
fn alone(request: Request) -> Vec<u32> {
    let mut engine = engine(Limits { draft: 0, ..Limits::default() });
    engine.submit(request).unwrap();
    let mut tokens = Vec::new();
    while !engine.is_idle() {
        tokens.extend(engine.step().into_iter().flat_map(|event| event.tokens));
    }
    tokens
}

#[test]
fn threads_get_the_answers_of_the_engine_alone_while_others_go_away() {
    let service = Service::start(engine(Limits { running: 4, ..Limits::default() })).unwrap();
    thread::scope(|scope| {
        for number in 0..24 {
            let handle = service.handle();
            scope.spawn(move || {
                let mut answer = handle.ask(request(3 + number, 30));
                if number % 3 == 0 {
                    answer.blocking_next().unwrap();
                    return;
                }
                let (tokens, last) = taken(&mut answer).unwrap();
                assert_eq!(tokens, alone(request(3 + number, 30)), "request {number}");
                assert_eq!((last.usage.said, last.usage.prompt), (30, 20));
                assert!(last.times.prompt > Duration::ZERO && last.times.answer > Duration::ZERO);
                assert_eq!(answer.blocking_next(), Err(Failure::Stopped));
            });
        }
    });
}

#[test]
fn a_reader_who_takes_nothing_keeps_nobody_waiting_and_loses_nothing() {
    let service = Service::start(engine(Limits { draft: 0, ..Limits::default() })).unwrap();
    let mut slow = service.handle().ask(request(3, 200));
    let mut other = service.handle().ask(request(4, 400));
    assert_eq!(taken(&mut other).unwrap().0.len(), 400);
    assert_eq!(taken(&mut slow).unwrap().0, alone(request(3, 200)));
}

#[test]
fn whoever_waits_and_goes_is_cancelled_without_having_begun() {
    // Every pass waits to be let go on, and says what ran in it.
    let (let_go, wait) = channel();
    let (say, passes) = channel();
    let service = Service::start_with(engine(Limits { running: 1, ..Limits::default() }), move |engine| {
        wait.recv().unwrap();
        let events = engine.step();
        say.send(engine.running().collect::<Vec<_>>()).unwrap();
        events
    })
    .unwrap();
    let handle = service.handle();
    let first = handle.ask(request(3, 400));
    let_go.send(()).unwrap();
    assert_eq!(passes.recv().unwrap(), [RequestId(0)]);
    let (second, mut third) = (handle.ask(request(4, 400)), handle.ask(request(5, 2)));
    drop((first, second));
    // One pass may have begun before they went.
    (0..9).for_each(|_| let_go.send(()).unwrap());
    assert_eq!(taken(&mut third).unwrap().0, alone(request(5, 2)));
    let ran: Vec<RequestId> = passes.try_iter().flatten().collect();
    assert!(ran.iter().filter(|id| **id == RequestId(0)).count() <= 1 && !ran.contains(&RequestId(1)), "{ran:?}");
}

#[test]
fn refusals_come_back_and_disturb_nobody() {
    let service = Service::start(engine(Limits::default())).unwrap();
    let handle = service.handle();
    let mut good = handle.ask(request(3, 40));
    let refused = |request| taken(&mut handle.ask(request)).unwrap_err();
    assert_eq!(refused(request(3, usize::MAX)), Refused::TooLong { asked: usize::MAX, room: 512 }.into());
    assert_eq!(refused(request(50, 4)), Refused::UnknownToken(61).into());
    assert_eq!(taken(&mut good).unwrap().0, alone(request(3, 40)));
}

#[test]
fn a_panic_in_a_pass_ends_requests_with_an_error_and_those_that_come_later() {
    let mut passes = 0;
    let service = Service::start_with(engine(Limits { running: 1, draft: 0, ..Limits::default() }), move |engine| {
        passes += 1;
        assert!(passes < 5, "a pass fails");
        engine.step()
    })
    .unwrap();
    let handle = service.handle();
    let (mut running, mut waiting) = (handle.ask(request(3, 40)), handle.ask(request(4, 40)));
    assert_eq!(taken(&mut running), Err(Failure::Stopped));
    assert_eq!(taken(&mut waiting), Err(Failure::Stopped));
    assert_eq!(taken(&mut handle.ask(request(5, 40))), Err(Failure::Stopped));
    assert!(handle.is_stopped());
}

#[test]
fn dropping_the_service_ends_requests_and_the_thread() {
    let service = Service::start(engine(Limits::default())).unwrap();
    let handle = service.handle();
    let mut answer = handle.ask(request(3, 450));
    answer.blocking_next().unwrap();
    drop(service);
    assert!(handle.is_stopped());
    // What had been said may still be read.
    while let Ok(piece) = answer.blocking_next() {
        assert_eq!(piece.end, None);
    }
}

#[test]
fn an_image_stays_while_it_is_held_or_asked_about() {
    let service = Service::start(engine(Limits { features: 10, ..Limits::default() })).unwrap();
    let handle = service.handle();
    let (one, other) = (ImageKey([1; 32]), ImageKey([2; 32]));
    let features = || vec![0.5; 6 * 32];
    assert!(handle.find_image(one).unwrap().is_none());
    let shown = handle.show_image(one, features()).unwrap();
    assert_eq!(shown.first(), 61);
    let refused = handle.show_image(other, features()).unwrap_err();
    assert_eq!(refused, Refused::ImageTooLarge(6).into());
    // Whoever holds it twice lets it go twice.
    let again = handle.find_image(one).unwrap().unwrap();
    drop(shown);
    assert_eq!(handle.show_image(other, features()).unwrap_err(), refused);
    let mut about = handle.ask(Request { prompt: (61..67).collect(), ..request(3, 20) });
    drop(again);
    assert_eq!(taken(&mut about).unwrap().0.len(), 20);
    assert!(handle.show_image(other, features()).is_ok());
    assert!(handle.find_image(one).unwrap().is_none());
    drop(service);
    assert_eq!(handle.find_image(other).unwrap_err(), Failure::Stopped);
}
