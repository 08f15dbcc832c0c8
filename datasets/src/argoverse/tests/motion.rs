use super::fixture::{STEPS, parquet_bytes, scenario, write_scenario};
use crate::{Class, Format, discover};

#[test]
fn the_scenario_has_the_ego_apart_and_the_map_beside_it() {
    let (_directory, path) = write_scenario(&parquet_bytes(&scenario()));
    let log = discover(&path).unwrap()[0].read().unwrap();
    assert_eq!((log.id.as_str(), log.format, log.location.as_str()), ("s-1", Format::Argoverse2Motion, "austin"));
    assert_eq!(log.description, "focal track 17");
    let [cyclist] = &log.tracks[..] else { panic!() };
    assert_eq!((cyclist.class, cyclist.states.len()), (Class::Bicycle, STEPS));
    assert_eq!(cyclist.states[2].velocity_mps, [0.0, 5.0]);
    assert_eq!(log.ego.states.len(), STEPS);
    for pair in log.ego.states.windows(2) {
        assert_eq!(pair[1].stamp.ns_since(pair[0].stamp), 100_000_000);
        assert!((pair[0].speed_mps - 5.0).abs() < 1e-6);
        assert!((pair[0].pose().yaw - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
    }
    assert_eq!(log.map.unwrap().parts().lanes.len(), 4);
    assert!(log.notes.iter().any(|note| note.contains("sizes")));
}

#[test]
fn the_directory_of_a_scenario_will_do() {
    let (directory, _) = write_scenario(&parquet_bytes(&scenario()));
    assert_eq!(discover(directory.path()).unwrap().len(), 1);
}

#[test]
fn a_scenario_without_map_says_so() {
    let (directory, path) = write_scenario(&parquet_bytes(&scenario()));
    std::fs::remove_file(directory.path().join("log_map_archive_s-1.json")).unwrap();
    let log = discover(path).unwrap()[0].read().unwrap();
    assert!(log.map.is_none() && log.notes.iter().any(|note| note.contains("no vector map")));
}
