//! What does not fit is refused.

use longseq_core::attention::grouped_query_attention::AttentionDims;
use longseq_core::attention::kv_cache::KvCacheDims;
use longseq_core::backend::GroupedQueryAttention;
use longseq_core::batch::Batch;
use longseq_core::state::{Region, StateMut};
use longseq_cpu::Cpu;
use longseq_cpu::isa::Isa;
use longseq_tests::attention::dims;

/// A call of three tokens that fits, before something is changed.
struct Call {
    dims: AttentionDims,
    kv: KvCacheDims,
    region: Region,
    position: usize,
    qkv: usize,
    out: usize,
    cache: usize,
}

impl Call {
    fn new() -> Self {
        let dims = dims((2, 2), 4);
        let kv = KvCacheDims::new(&dims, 5);
        let region = Region { offset: 0, stride: kv.elements(), elements: kv.elements() };
        let (qkv, out) = (3 * dims.qkv_width(), 3 * dims.query_width());
        Self { dims, kv, region, position: 0, qkv, out, cache: kv.elements() }
    }

    fn fits(&self) -> bool {
        let batch = Batch::new(&[0; 3], &[0, 3], &[0], &[]).unwrap();
        let (mut cache, mut out) = (vec![0.5; self.cache], vec![0.5; self.out]);
        let found = Cpu::new(Isa::best()).grouped_query_attention(
            &self.dims,
            &batch.sequences(&[self.position]),
            &vec![0.5; self.qkv],
            &self.kv,
            StateMut { buffer: &mut cache, region: self.region },
            &mut out,
        );
        if found.is_err() {
            assert!(cache.iter().chain(&out).all(|&x| x == 0.5), "nothing is written");
        }
        found.is_ok()
    }
}

#[test]
fn shapes_are_checked() {
    let refused = |change: &dyn Fn(&mut Call)| {
        let mut call = Call::new();
        change(&mut call);
        !call.fits()
    };
    assert!(Call::new().fits());
    assert!(refused(&|call| call.qkv -= 1));
    assert!(refused(&|call| call.out -= 1));
    assert!(refused(&|call| call.cache -= 1));
    assert!(refused(&|call| call.region.elements -= 1));
    assert!(refused(&|call| call.region.offset = usize::MAX));
    assert!(refused(&|call| call.kv.width += 1));
    assert!(refused(&|call| call.kv.rows = 0));
    assert!(refused(&|call| call.kv.rows = usize::MAX));
    assert!(refused(&|call| call.position = 3), "a position beyond the cache");
    assert!(refused(&|call| call.position = usize::MAX));
    assert!(refused(&|call| call.dims.heads = 3));
    assert!(refused(&|call| call.dims.heads = usize::MAX / 2 * 2));
    assert!(refused(&|call| call.dims.kv_heads = 0));
    assert!(refused(&|call| call.dims.head_dim = usize::MAX));
    assert!(refused(&|call| call.dims.rotary = 3));
    assert!(refused(&|call| call.dims.rotary = 6));
    assert!(refused(&|call| call.dims.window = Some(0)));
    // A window lets positions go beyond the cache's rows.
    assert!(!refused(&|call| (call.dims.window, call.position) = (Some(5), 1_000_000)));
}
