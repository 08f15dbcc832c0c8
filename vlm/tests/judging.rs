//! What comes with the program: eyes, a model with what it has learnt, and what they make of a closed road.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use tandem_datasets::Pose2;
use tandem_datasets::log::upright;
use tandem_graph::Stamp;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits};
use tandem_vlm::eyes::{Eyes, Place};
use tandem_vlm::judge::{Judge, Voice};
use tandem_vlm::model::{Adapter, Model, Projector};
use tandem_vlm::text::{Template, Tokenizer, Vocabulary};
use tandem_vlm::train::lesson::lessons;

/// A world that training does not take, in which a road is closed.
const WORLD: u64 = 9;

#[test]
fn the_model_judges_by_what_its_eyes_see() {
    let Some(file) = support::model() else { return };
    let adapter = Adapter::own(&file).unwrap().unwrap();
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    let source = file.text("tokenizer.chat_template").unwrap();
    let template = Template::new(file.path(), source, &tokenizer.named()).unwrap();
    let (model, signs) = (Model::adapted(&file, &adapter).unwrap(), Signs::of(&tokenizer));
    let voice = Voice::new(tokenizer, template, Some(Projector::new(&adapter))).unwrap();
    let curve = Curve::new([(1, 1.0), (64, 1.0)]);
    let mut judge = Judge::new(Engine::new(model, signs, curve, Limits::default()), Arc::new(voice));

    let place = Place::new(WORLD).unwrap();
    let mut eyes = Eyes::<Flex>::own(&FlexDevice).unwrap();
    let (mut asked, mut surroundings, mut acts, mut named) = (0, 0, 0, 0);
    for lesson in lessons(WORLD).unwrap().iter().step_by(3) {
        let [x, y, yaw] = lesson.map_from_ego;
        let moment = (Stamp::from_ns(lesson.stamp_ns), upright(Pose2::new(x, y, yaw)));
        let rows = place.see(&mut eyes, moment, None).unwrap().rows;
        let said = judge.judge(&lesson.prompt, Some(&rows), "test").judgment.unwrap();
        let wanted = &lesson.answer;
        asked += 1;
        surroundings += usize::from((said.weather, said.light) == (wanted.weather, wanted.light));
        acts += usize::from(said.actions[0].action == wanted.actions[0].action);
        named += usize::from(said.objects.iter().any(|object| object.what == "closed sign"));
    }
    assert!(asked >= 5 && 5 * surroundings >= 4 * asked && 2 * acts >= asked, "{surroundings}, {acts} of {asked}");
    assert!(named > 0);
}
