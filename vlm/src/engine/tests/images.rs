//! Answers about images against those of one at a time, and how long images are kept.

use super::*;

/// Requests about images: some the same, some others, with words before and after them.
fn looking(engine: &mut Engine, count: usize) -> Vec<Request> {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    let shown = |number: u8| {
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(number));
        let rows = 20 + 3 * usize::from(number);
        (rows, (0..rows * 32).map(|_| random.random_range(-1.0..1.0)).collect::<Vec<f32>>())
    };
    let images: Vec<Vec<u32>> = (0..3)
        .map(|number| {
            let (rows, features) = shown(number);
            let first = engine.show_image(ImageKey([number; 32]), features).unwrap();
            (first..first + rows as u32).collect()
        })
        .collect();
    let request = |(number, asked): (usize, Request)| {
        let mut prompt = vec![5, 6, 7];
        prompt.extend(&images[number % 3]);
        prompt.extend(&images[(number + number / 5) % 3]);
        prompt.extend((0..random.random_range(1..9)).map(|_| random.random_range(3..61)));
        Request { prompt, ..asked }
    };
    requests(count).into_iter().enumerate().map(request).collect()
}

#[test]
fn answers_about_images_are_the_same_with_any_drafts_in_any_company_and_with_too_few_pages() {
    let plain = Limits { running: 1, draft: 0, waiting: 1000, ..Limits::default() };
    let mut alone = engine(plain);
    let requests = looking(&mut alone, 40);
    assert!(requests.iter().any(|request| request.prompt.iter().any(|token| *token >= 61)));
    let (wanted, _) = answers(&mut alone, &requests, 0);
    assert!(wanted.values().all(|(said, _)| said.iter().all(|token| *token < 61)));
    for (seed, draft, running, pages, chunk) in [(0, 8, 1, 64, 256), (1, 63, 4, 64, 7), (3, 32, 16, 14, 30)] {
        let limits = Limits { pages, running, chunk, draft, waiting: 1000, ..Limits::default() };
        let mut engine = engine(limits);
        assert_eq!(looking(&mut engine, 40), requests, "the same images get the same tokens");
        for round in 0..2 {
            let (found, accepted) = answers(&mut engine, &requests, seed);
            let said: usize = found.values().map(|(said, _)| said.len()).sum();
            assert!(found.len() > requests.len() / 2 && (round == 0 || accepted > said / 3), "{accepted} of {said}");
            for (number, found) in found {
                assert_eq!(found, wanted[&number], "{limits:?} round {round} request {number}");
            }
        }
    }
}

#[test]
fn a_second_question_about_an_image_reads_neither_it_nor_what_is_before_it_again() {
    let mut engine = engine(Limits::default());
    let key = ImageKey([3; 32]);
    assert_eq!(engine.find_image(&key), None);
    let first = engine.show_image(key, vec![0.5; 40 * 32]).unwrap();
    assert_eq!(first, 61);
    let mut cached = Vec::new();
    for last in [9, 10] {
        // Of what is kept nothing has to be computed.
        let first = engine.find_image(&key).unwrap();
        let prompt: Vec<u32> = [7; 5].into_iter().chain(first..first + 40).chain([last; 5]).collect();
        let asked = requests(1).remove(0);
        engine.submit(Request { prompt, ..asked }).unwrap();
        let mut events = Vec::new();
        while !engine.is_idle() {
            events.extend(engine.step());
        }
        cached.push(events[0].usage.cached);
    }
    assert_eq!(cached, [0, 32]);
}

#[test]
fn an_image_in_use_stays_and_one_that_is_gone_is_refused() {
    let mut engine = engine(Limits { features: 10, ..Limits::default() });
    let show =
        |engine: &mut Engine, number: u8, rows: usize| engine.show_image(ImageKey([number; 32]), vec![0.1; rows * 32]);
    let ask = |engine: &mut Engine, token: u32| {
        let asked = requests(1).remove(0);
        engine.submit(Request { prompt: vec![5, token], most: 2, ..asked })
    };
    assert_eq!(show(&mut engine, 0, 11), Err(Refused::ImageTooLarge(11)));
    assert_eq!(show(&mut engine, 1, 6), Ok(61));
    assert_eq!(ask(&mut engine, 67), Err(Refused::UnknownToken(67)));
    let [waits, _] = [61, 66].map(|token| ask(&mut engine, token).unwrap());
    assert_eq!(show(&mut engine, 2, 6), Err(Refused::ImageTooLarge(6)));
    engine.cancel(waits);
    assert_eq!(show(&mut engine, 2, 6), Err(Refused::ImageTooLarge(6)));
    while !engine.is_idle() {
        engine.step();
    }
    assert_eq!(show(&mut engine, 2, 6), Ok(67));
    assert_eq!((engine.find_image(&ImageKey([1; 32])), ask(&mut engine, 61)), (None, Err(Refused::UnknownToken(61))));
}
