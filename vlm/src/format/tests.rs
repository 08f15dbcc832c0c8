use proptest::prelude::*;

use super::*;

#[test]
fn ggml_and_back_by_number_and_no_two_alike() {
    for format in Format::ALL {
        assert_eq!(Format::from_ggml(format.ggml()), Some(format));
        assert_eq!(Format::ALL.iter().filter(|other| other.name() == format.name()).count(), 1);
        assert_eq!(format.size(3 * format.block()), Some(3 * format.bytes()));
    }
    // Q4_2, which ggml has given up, Q5_K, and none.
    assert_eq!([4, 13, u32::MAX].map(Format::from_ggml), [None; 3]);
    assert_eq!([Format::Q4_1.size(31), Format::F32.size(usize::MAX)], [None; 2]);
    assert_eq!(format!("{:>5}", Format::Q4K), " Q4_K");
}

#[test]
fn blocks_of_256_and_whole_numbers_are_only_read() {
    let read = Format::ALL.into_iter().filter(|format| format.encoder().is_none());
    assert!(read.eq([Format::Q4K, Format::Q6K, Format::I8]));
}

/// Bits of a block as the layout says, worked out by hand.
#[test]
fn a_block_of_4_bits_has_its_first_half_in_the_lower_bits() {
    let mut values = [0.0; 32];
    // A scale of 2, then 15 and 0, then zeros as 8 stands for them.
    let mut block = [0x88; 18];
    block[..3].copy_from_slice(&[0x00, 0x40, 0x0f]);
    Format::Q4_0.decode(&block, &mut values);
    let mut expected = [0.0; 32];
    (expected[0], expected[16]) = (14.0, -16.0);
    assert_eq!(values, expected);

    let mut bytes = Vec::new();
    Format::Q4_0.encoder().unwrap()(&values, &mut bytes);
    assert_eq!(bytes, block);
}

/// Part 5 of a Q4_K block takes its bits from three places.
#[test]
fn scales_of_6_bits_are_put_together_from_two_bytes() {
    let mut block = [0; 144];
    // The scale and the least value are 1 each, and all numbers 1.
    (block[1], block[3]) = (0x3c, 0x3c);
    block[16..].fill(0x11);
    let scales = &mut block[4..16];
    // The upper two bits of part 5's scale are 0b10, of its least value 0b01; the lower four 0b0011 and 0b0101.
    (scales[1], scales[5], scales[9]) = (0b10 << 6, 0b01 << 6, 0b0101_0011);
    let mut values = [0.0; 256];
    Format::Q4K.decode(&block, &mut values);
    assert!(values[5 * 32..6 * 32].iter().all(|value| *value == f32::from(0b10_0011_u8) - f32::from(0b01_0101_u8)));
    assert!(values[..5 * 32].iter().chain(&values[6 * 32..]).all(|value| *value == 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_blocks_are_read_without_panic(blocks in 0_usize..4, bytes in proptest::collection::vec(any::<u8>(), 1024)) {
        for format in Format::ALL {
            format.decode(&bytes[..blocks * format.bytes()], &mut vec![0.0; blocks * format.block()]);
        }
    }

    #[test]
    fn any_values_are_written_without_panic_to_what_is_read_again(
        values in proptest::collection::vec(any::<u32>().prop_map(f32::from_bits), 64),
    ) {
        for format in Format::ALL {
            let Some(encode) = format.encoder() else { continue };
            let mut bytes = vec![1, 2, 3];
            encode(&values, &mut bytes);
            prop_assert_eq!(&bytes[..3], &[1, 2, 3]);
            format.decode(&bytes[3..], &mut [0.0; 64]);
        }
    }

    /// The error of a value is at most half a step; a step more at the end of Q4_0 that −8 and 7 leave open, and what
    /// half precision does to the scale.
    #[test]
    fn values_come_back_to_within_a_step(values in proptest::collection::vec(-100.0_f32..100.0, 32)) {
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let low = values.iter().copied().fold(f32::MAX, f32::min);
        let high = values.iter().copied().fold(f32::MIN, f32::max);
        let rounding = largest / 1024.0;
        for (format, bound) in [
            (Format::F32, 0.0),
            (Format::F16, rounding / 2.0),
            (Format::Bf16, largest / 256.0),
            (Format::Q8_0, largest / 254.0 + rounding),
            (Format::Q4_0, largest / 8.0 + rounding),
            (Format::Q4_1, (high - low) / 30.0 + 3.0 * rounding),
        ] {
            let (mut bytes, mut back) = (Vec::new(), [0.0; 32]);
            format.encoder().unwrap()(&values, &mut bytes);
            format.decode(&bytes, &mut back);
            for (value, back) in values.iter().zip(back) {
                prop_assert!((value - back).abs() <= bound, "{} {} {} {}", format, value, back, bound);
            }
        }
    }
}
