//! Laws of shared prefixes.

use longseq::run::trunk::Trunk;
use proptest::prelude::*;

/// Prompts that leave a common text at some place, or do not share it at all.
fn prompts() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let common: Vec<u32> = (0..200).collect();
    let prompt =
        (0_usize..=200, prop::collection::vec(0_u32..3, 0..40)).prop_map(move |(kept, own)| {
            let mut prompt = common[..kept].to_vec();
            prompt.extend(own);
            prompt.push(7);
            prompt
        });
    prop::collection::vec(prompt, 1..12)
}

proptest! {
    #[test]
    fn every_prompt_leaves_the_trunk_once_and_shares_what_it_says(
        prompts in prompts(),
        grid in 1..70_usize,
    ) {
        let ids: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        let these: Vec<usize> = (0..ids.len()).collect();
        let trunk = Trunk::find(&ids, &these, grid);
        let mut seen: Vec<usize> = trunk.branches.iter().map(|branch| branch.prompt).collect();
        seen.sort();
        prop_assert_eq!(seen, these);
        prop_assert!(trunk.branches.is_sorted_by_key(|branch| branch.shared));
        for branch in &trunk.branches {
            let own = ids[branch.prompt];
            prop_assert!(branch.shared < own.len());
            prop_assert!(branch.shared == 0 || branch.shared >= 32);
            prop_assert!(branch.shared.is_multiple_of(grid));
            if branch.shared > 0 {
                let trunk = ids[trunk.prompt.unwrap()];
                prop_assert_eq!(&own[..branch.shared], &trunk[..branch.shared]);
            }
        }
    }

    #[test]
    fn two_prompts_share_all_they_have_in_common(prompts in prompts(), grid in 1..70_usize) {
        let ids: Vec<&[u32]> = prompts.iter().take(2).map(Vec::as_slice).collect();
        let [a, b] = ids[..] else { return Ok(()) };
        let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let common = common.min(a.len() - 1).min(b.len() - 1);
        let common = common / grid * grid;
        let expected = if common < 32 { 0 } else { common };
        prop_assert_eq!(Trunk::find(&ids, &[0, 1], grid).saved(), expected);
    }
}
