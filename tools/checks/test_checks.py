#!/usr/bin/env python3
"""The checks fail when they should, and only then: python3 tools/checks/test_checks.py."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import layers
from rust import tokens

HERE = Path(__file__).parent


class Source(unittest.TestCase):
    """A made-up repository."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def put(self, path, text):
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")

    def run_check(self, name, *options):
        command = [sys.executable, HERE / name, *options, self.root]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Tokens(unittest.TestCase):
    def test_what_looks_like_code_is_none(self):
        source = r"""
            // fn a() { return; }
            /* nested /* fn b() {} */ */
            let s = "fn c() { \" return; }"; let r = r#"assert!("x")"#; let b = b'}';
            let q = '"'; let l: &'static str = ""; let e = '\u{7d}'; let n = 1..2; let f = 1.5e3;
        """
        words = [t.text for t in tokens(source) if t.kind == "word"]
        self.assertEqual([w for w in words if w in ("fn", "return", "assert")], [])
        self.assertIn("str", words)

    def test_brackets_must_match(self):
        for bad in ("fn a() {", "}", "(]"):
            with self.assertRaises(ValueError):
                tokens(bad)


class EarlyReturns(Source):
    def faults(self, *tests, helpers=""):
        text = helpers + "".join(f"#[test]\nfn t{i}() {{ {body} }}\n" for i, body in enumerate(tests))
        self.put("crates/a/tests/a.rs", text)
        code, output = self.run_check("early_returns.py")
        found = [line for line in output.splitlines() if ".rs:" in line]
        self.assertEqual(code, 1 if found else 0, output)
        return {int(line.split(": t")[1].split(" ")[0]) for line in found}

    def test_a_return_before_the_first_assertion(self):
        self.assertEqual(
            self.faults(
                "let Some(x) = shared() else { return }; assert!(x);",
                "let Some(x) = shared() else { return; }; check(x);",
                "if !there() { eprintln!(\"skipped\"); return; } assert_eq!(1, 1);",
                "match shared() { None => return, Some(x) => assert!(x) }",
                "let x = read()?; assert!(x);",
                "assert!(true); if done() { return; } assert!(x);",
                "let f = |x| { if x { return 1; } 2 }; assert_eq!(f(true), 1);",
                "let f = |x: u8| match x { 0 => return 1, _ => 2 }; assert_eq!(f(0), 1);",
                "fn inner() -> u8 { return 3; } assert_eq!(inner(), 3);",
                helpers="fn check(x: bool) { assert!(x); }\n",
            ),
            {0, 1, 2, 3, 4},
        )

    def test_assertions_that_may_not_be_reached(self):
        self.assertEqual(
            self.faults(
                "if let Some(x) = shared() { assert!(x); }",
                "for x in all() { let Some(y) = x else { continue }; assert!(y); }",
                "if a { assert!(x); } else { assert!(y); }",
                "for x in all() { assert!(x); }",
                "for x in all() { if x { continue; } n += 1; } assert!(n > 3);",
                "let x = match a { Some(x) if x > 1 => x, _ => 0 }; assert_eq!(x, 0);",
                "let y = a | b; let z = if a || b { 1 } else { 2 }; assert_eq!(y, z);",
                "fn inner() { assert!(true); }",
            ),
            {0, 1, 7},
        )

    def test_what_asserts_nothing(self):
        self.assertEqual(
            self.faults("run();", "run().unwrap();", "if a { run().unwrap(); }", "outer();", "broken();",
                helpers="fn run() -> Option<()> { None }\n"
                "fn outer() { inner(); }\nfn inner() { assert!(run().is_some()); }\n"
                "fn broken() { if run().is_none() { return; } assert!(true); }\n"),
            {0, 2, 4},
        )  # fmt: skip

    def test_tests_in_macros_modules_and_subfolders(self):
        self.put("crates/a/src/lib.rs", "mod m { #[cfg(test)] mod tests { #[test] fn t1() { run(); } } }")
        self.put("crates/a/tests/deep/main.rs", "proptest! { #[test] fn t2(x in 0..3) { run(x); } }")
        self.put("crates/a/tests/b.rs", "macro_rules! all { ($n:ident) => { #[test] fn $n() { run(); } } }")
        self.put("tests/top.rs", "#[test]\n#[ignore = \"slow\"]\nfn t4() { return; }")
        code, output = self.run_check("early_returns.py")
        self.assertEqual(code, 1)
        self.assertIn("4 tests, 4 faults", output)

    def test_paths_that_lead_outside(self):
        self.put("crates/a/tests/a.rs", 'const A: &str = concat!(env!("X"), "/../../../shared");\n'
            'const B: &str = include_str!(concat!("../../../", "docs/b.md")); const C: &str = "../../tests";\n'
            "#[test]\nfn t() { assert!(true); }")  # fmt: skip
        code, output = self.run_check("early_returns.py")
        self.assertEqual((code, output.count(".rs:")), (1, 1), output)
        self.assertIn("a.rs:1: a path", output)

    def test_a_repository_without_tests_is_an_error(self):
        self.put("crates/a/src/lib.rs", "")
        self.assertEqual(self.run_check("early_returns.py")[0], 1)


class Imports(Source):
    def circles(self, files):
        for path, text in files.items():
            self.put(f"crates/a/src/{path}", text)
        code, output = self.run_check("imports.py", "--graph")
        self.assertEqual(code == 1, "a circle of" in output, output)
        return output.count("a circle of"), output

    def test_siblings(self):
        count, output = self.circles({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B;",
            "b.rs": "fn f() { super::a::f(); }",
        })  # fmt: skip
        self.assertEqual(count, 1)
        self.assertIn("a -> b   crates/a/src/a.rs:1", output)

    def test_a_parent_and_its_child(self):
        files = {"lib.rs": "mod p;", "p/mod.rs": "mod c; pub use c::C; pub struct P;", "p/c.rs": "use super::P;"}
        self.assertEqual(self.circles(files)[0], 1)
        files["p/c.rs"] = "pub struct C;"
        self.assertEqual(self.circles(files)[0], 0)

    def test_what_is_passed_on_is_followed(self):
        files = {
            "lib.rs": "mod a; mod b; pub use a::A; pub use b::*;",
            "a.rs": "pub struct A; use crate::B;",
            "b.rs": "pub struct B; ",
        }
        self.assertEqual(self.circles(files)[0], 0)
        files["b.rs"] = "pub struct B; use crate::A;"
        self.assertEqual(self.circles(files)[0], 1)

    def test_what_is_no_import(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b; #[cfg(test)] mod tests;",
            "a.rs": "use crate::b::B; /// [`crate::b`]\nfn f() {}",
            "b.rs": "// use crate::a;\npub(in crate::a) fn g() { \"crate::a::f\"; } #[cfg(test)] mod tests { use crate::a::f; }"
            "\nmod inner { use super::B; }",
            "tests.rs": "use crate::a::f;",
        })[0], 0)  # fmt: skip

    def test_nested_trees_and_renamed_modules(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b;",
            "a/mod.rs": "mod x; use crate::{b::{self as other, B as _}, z}; ",
            "a/x.rs": "",
            "b.rs": "use crate::a::{x::{Y}, Z};",
        })[0], 1)  # fmt: skip

    def test_a_repository_without_crates_is_an_error(self):
        (self.root / "crates").mkdir()
        self.assertEqual(self.run_check("imports.py")[0], 1)


class Layers(unittest.TestCase):
    def found(self, crate, *names, kind="dependencies"):
        return list(layers.faults({crate: {kind: {name: {} for name in names}}}))

    def test_arrows(self):
        self.assertEqual(self.found("lmz-codec", "lmz-exact", "lmz-format", "zstd"), [])
        self.assertEqual(len(self.found("lmz-format", "lmz-codec")), 1)
        self.assertEqual(len(self.found("lmz", "clap", "indicatif", "burn")), 3)
        self.assertEqual(len(self.found("lmz-exact", "lmz-testkit")), 2)
        self.assertEqual(self.found("lmz-exact", "lmz-testkit", kind="dev-dependencies"), [])
        self.assertEqual(len(self.found("lmz-new")), 1)

    def test_dependencies_of_targets_and_renamed_ones(self):
        manifest = {"target": {"cfg(unix)": {"dependencies": {"c": {"package": "lmz-codec"}}}}}
        self.assertEqual(len(list(layers.faults({"lmz-format": manifest}))), 1)


if __name__ == "__main__":
    unittest.main()
