//! Bits per byte of a file under a model, by the exact engine: quick look.
use lmz_exact::*;
use lmz_model::*;
use lmz_coder::Cost;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let cp = Checkpoint::open(&a[1]).unwrap();
    let t = std::time::Instant::now();
    let p = prepare(&cp, "x").unwrap();
    println!("prepare {:?} {} bytes F={} eps={}", t.elapsed(), p.as_bytes().len(), p.residual_frac_bits, p.eps_fixed);
    let isa = a.get(3).and_then(|n| Isa::from_name(n)).unwrap_or(Isa::detect());
    let t = std::time::Instant::now();
    let e = Engine::new(&p, Kernel::new(isa).unwrap()).unwrap();
    println!("load {:?}", t.elapsed());
    let tok = ExactTokenizer::new(&p.tokenizer_json().unwrap(), e.symbols().vocabulary()).unwrap();
    let mut text = std::fs::read(&a[2]).unwrap();
    text.truncate(a.get(4).map_or(100000, |n| n.parse().unwrap()));
    let t = std::time::Instant::now();
    let ids: Vec<u32> = tok.encode(&text).iter().map(|s| match s { Symbol::Token(t) => *t, _ => panic!() }).collect();
    println!("{} tokens, tokenise {:?}", ids.len(), t.elapsed());
    let mut s = Scratch::new();
    let c: usize = 512;
    let mut cache = Cache::new(&e, c);
    let mut cost = Cost::default();
    let mut bits = 0f64;
    let t = std::time::Instant::now();
    for block in ids.chunks(c) {
        let mut input = vec![e.start_token()];
        input.extend_from_slice(&block[..block.len() - 1]);
        let mut runs = [Run { cache: &mut cache, start: 0, tokens: &input, wanted: 0 }];
        e.forward(&mut s, &mut runs, &mut |_, i, scores| {
            let (int, co) = scores.code(e.symbols().symbol(block[i]).unwrap());
            cost += co;
            bits += int.bits();
        });
    }
    let dt = t.elapsed().as_secs_f64();
    println!("{} ideal {:.4} bpb, intervals {:.4}, overhead {:.5} %, {:.1} KB/s {:.0} tok/s", isa.name(), cost.bits() / text.len() as f64, bits / text.len() as f64,
        (bits / cost.bits() - 1.) * 100., text.len() as f64 / dt / 1e3, ids.len() as f64 / dt);
}
