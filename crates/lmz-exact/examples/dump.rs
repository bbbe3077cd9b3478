//! Development aid: prepare a checkpoint and dump logits.
use lmz_exact::*;
use lmz_model::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let cp = Checkpoint::open(&a[1]).unwrap();
    let p = prepare(&cp, &cp.name).unwrap();
    std::fs::write(&a[2], p.as_bytes()).unwrap();
    println!("{}", a[2]);
    if let Some(out) = a.get(3) {
        let e = Engine::new(&p, Kernel::detect()).unwrap();
        let text = std::fs::read(&a[4]).unwrap();
        let tok = ExactTokenizer::new(&p.tokenizer_json().unwrap(), e.symbols().vocabulary()).unwrap();
        let mut input = vec![e.start_token()];
        input.extend(tok.encode(&text).iter().filter_map(|s| match s { Symbol::Token(t) => Some(*t), _ => None }));
        input.truncate(40);
        let mut cache = Cache::new(&e, 64);
        let mut rows: Vec<Vec<i32>> = vec![];
        e.forward(&mut Scratch::new(), &mut [Run { cache: &mut cache, start: 0, tokens: &input, wanted: 0 }], &mut |_, _, s| rows.push(s.logits.to_vec()));
        std::fs::write(out, format!("{{\"tokens\": {input:?}, \"logits\": {rows:?}}}")).unwrap();
    }
}
