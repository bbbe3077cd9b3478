//! Measurements for people.

use std::io::{self, Write};

use lmz::bench::{Cost, Measurement};
use lmz::figures::bits_per_byte;
use lmz::metric::grouped;

use super::sums::{Compared, place, sums, title};

/// Prints one file's comparison.
///
/// # Errors
/// Those of `out`.
pub fn file(compared: &Compared, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} bytes\n  sha256 {}",
        compared.file,
        grouped(compared.raw_bytes),
        compared.sha256
    )?;
    writeln!(
        out,
        "  {:<26} {:>12} {:>9} {:>12} {:>12} {:>12} {:>19}",
        "", "bytes", "bits/byte", "+ the model", "compressing", "restoring", "memory"
    )?;
    for result in &compared.results {
        writeln!(
            out,
            "  {:<26} {:>12} {:>9} {:>12} {:>12} {:>12} {:>19}",
            format!("{}{}", title(result), place(std::iter::once(result))),
            grouped(result.bytes),
            bits(result.raw_bytes, result.bytes),
            result
                .model
                .as_ref()
                .map_or("-".into(), |model| grouped(model.bytes)),
            speed(result.raw_bytes, &result.compressing),
            speed(result.raw_bytes, &result.restoring),
            memory(result),
        )?;
    }
    devices(std::slice::from_ref(compared), out)?;
    writeln!(out)
}

/// Says what is behind the names of devices, once for each.
fn devices(all: &[Compared], out: &mut dyn Write) -> io::Result<()> {
    let mut known = Vec::new();
    for result in all.iter().flat_map(|compared| &compared.results) {
        let Some(name) = &result.device_name else {
            continue;
        };
        if !known.contains(&&result.device) {
            known.push(&result.device);
            writeln!(out, "  {}: {name}", result.device)?;
        }
    }
    Ok(())
}

/// Prints the sum over all files, with the model counted once.
///
/// # Errors
/// Those of `out`.
pub fn total(all: &[Compared], out: &mut dyn Write) -> io::Result<()> {
    let sums = sums(all);
    let raw = sums.first().map_or(0, |sum| sum.raw_bytes);
    writeln!(out, "all {} files: {} bytes", all.len(), grouped(raw))?;
    writeln!(
        out,
        "  {:<26} {:>12} {:>9} {:>16} {:>12} {:>12}",
        "", "bytes", "bits/byte", "model counted", "compressing", "restoring"
    )?;
    for sum in &sums {
        let model = sum.model.as_ref().map_or(0, |model| model.bytes);
        writeln!(
            out,
            "  {:<26} {:>12} {:>9} {:>16} {:>12} {:>12}",
            sum.title,
            grouped(sum.bytes),
            bits(sum.raw_bytes, sum.bytes),
            grouped(sum.bytes + model),
            rate(sum.raw_bytes, sum.compressing),
            rate(sum.raw_bytes, sum.restoring),
        )?;
    }
    devices(all, out)
}

/// Prints sizes in Markdown, a line for each file; the smallest in bold.
///
/// # Errors
/// Those of `out`.
pub fn markdown(all: &[Compared], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = all.first() else {
        return Ok(());
    };
    let column = |at: usize| {
        let results = all
            .iter()
            .filter_map(move |compared| compared.results.get(at));
        format!("{}{}", first.results[at].program.name(), place(results))
    };
    let names: Vec<String> = (0..first.results.len()).map(column).collect();
    writeln!(out, "| file | raw | {} |", names.join(" | "))?;
    writeln!(out, "|---|---|{}", "---|".repeat(names.len()))?;
    for compared in all {
        let best = compared.results.iter().map(|r| r.bytes).min();
        write!(
            out,
            "| {} | {} |",
            compared.file,
            grouped(compared.raw_bytes)
        )?;
        for result in &compared.results {
            let mark = if Some(result.bytes) == best { "**" } else { "" };
            write!(
                out,
                " {mark}{} ({}){mark} |",
                grouped(result.bytes),
                bits(result.raw_bytes, result.bytes)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn bits(raw: u64, packed: u64) -> String {
    bits_per_byte(raw, packed).map_or("-".into(), |bits| format!("{bits:.3}"))
}

fn speed(raw: u64, cost: &Cost) -> String {
    rate(raw, cost.seconds)
}

/// Of 10^6 or 10^3 bytes.
fn rate(raw: u64, seconds: f64) -> String {
    if raw == 0 || seconds <= 0.0 {
        return "-".into();
    }
    let rate = raw as f64 / seconds;
    if rate >= 1e6 {
        format!("{:.1} MB/s", rate / 1e6)
    } else {
        format!("{:.1} KB/s", rate / 1e3)
    }
}

/// Of compressing and restoring.
fn memory(result: &Measurement) -> String {
    let of = |cost: &Cost| {
        cost.memory_bytes
            .map_or("-".into(), |bytes| format!("{:.1}", bytes as f64 / 1e6))
    };
    format!("{}, {} MB", of(&result.compressing), of(&result.restoring))
}

#[cfg(test)]
mod tests {
    use lmz::bench::{Method, UsedModel};

    use super::*;

    fn measured(program: Method, raw_bytes: u64, bytes: u64) -> Measurement {
        let cost = Cost {
            seconds: 0.5,
            passes: 1,
            memory_bytes: Some(1_500_000),
        };
        Measurement {
            program,
            settings: program.level().into(),
            model: (program == Method::Lmz).then(|| UsedModel {
                name: "tiny".into(),
                id: "00".into(),
                bytes: 1000,
            }),
            asked_device: "cpu".into(),
            device: "cpu".into(),
            device_name: None,
            raw_bytes,
            sha256: "ab".into(),
            bytes,
            compressing: cost,
            restoring: cost,
        }
    }

    fn files() -> Vec<Compared> {
        let file = |raw: u64, xz: u64, lmz: u64| Compared {
            file: format!("f{raw}"),
            raw_bytes: raw,
            sha256: "ab".into(),
            results: vec![
                measured(Method::Xz, raw, xz),
                measured(Method::Lmz, raw, lmz),
            ],
        };
        vec![file(4000, 1000, 500), file(2_000_000, 700, 900)]
    }

    fn text(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_smallest_is_bold() {
        assert_eq!(
            text(|out| markdown(&files(), out)),
            "| file | raw | xz | lmz |\n|---|---|---|---|\n\
             | f4000 | 4,000 | 1,000 (2.000) | **500 (1.000)** |\n\
             | f2000000 | 2,000,000 | **700 (0.003)** | 900 (0.004) |\n"
        );
    }

    #[test]
    fn devices_are_named_where_they_are_not_the_cpu() {
        let mut files = files();
        for file in &mut files {
            file.results[1].asked_device = "vulkan:0".into();
        }
        files[0].results[1].device = "vulkan:0".into();
        files[0].results[1].device_name = Some("A Card (Vulkan)".into());
        let table = text(|out| file(&files[0], out));
        assert!(table.contains("  lmz tiny on vulkan:0 "), "{table}");
        assert!(table.contains("\n  vulkan:0: A Card (Vulkan)\n"), "{table}");
        // On the second file it fell back.
        assert!(text(|out| file(&files[1], out)).contains("  lmz tiny on cpu "));
        let table = text(|out| total(&files, out));
        assert!(table.contains("  lmz tiny on vulkan:0, cpu "), "{table}");
        let markdown = text(|out| markdown(&files, out));
        assert!(markdown.starts_with("| file | raw | xz | lmz on vulkan:0, cpu |\n"));
    }

    #[test]
    fn a_model_is_counted_once_in_the_sum() {
        let table = text(|out| total(&files(), out));
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[2][..5], ["xz", "-9e", "1,700", "0.007", "1,700"]);
        assert_eq!(rows[3][..5], ["lmz", "tiny", "1,400", "0.006", "2,400"]);
        assert_eq!(rows[3][5..], ["2.0", "MB/s", "2.0", "MB/s"]);
    }

    #[test]
    fn a_file_s_table_has_speed_and_memory() {
        let table = text(|out| file(&files()[0], out));
        assert!(table.contains("sha256 ab"), "{table}");
        assert!(table.contains("8.0 KB/s"), "{table}");
        assert!(table.contains("1.5, 1.5 MB"), "{table}");
    }
}
