//! Expressions as LaTeX writes them, computed for given values of their letters.

/// Deepest nesting.
const DEPTH: usize = 40;
/// A function of one argument.
type Function = fn(f64) -> f64;

const FUNCTIONS: [(&str, Function); 9] = [
    ("arcsin", f64::asin),
    ("arccos", f64::acos),
    ("arctan", f64::atan),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("log", f64::log10),
    ("ln", f64::ln),
    ("exp", f64::exp),
];
/// Commands that mean nothing to a value.
const NOTHING: [&str; 13] = [
    "left",
    "right",
    "displaystyle",
    "quad",
    "qquad",
    "big",
    "Big",
    "bigl",
    "bigr",
    "limits",
    ",",
    "!",
    ";",
];

/// The value of an expression in which each letter has the value that `letter` gives; none for what is no expression.
pub(super) fn value(text: &str, letter: &dyn Fn(char) -> f64) -> Option<f64> {
    let mut parser = Parser {
        text,
        letter,
        depth: 0,
    };
    let value = parser.sum()?;
    parser.skip();
    (parser.text.is_empty() && value.is_finite()).then_some(value)
}

struct Parser<'a> {
    /// What is left.
    text: &'a str,
    letter: &'a dyn Fn(char) -> f64,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        loop {
            self.text = self
                .text
                .trim_start_matches(|c: char| c.is_whitespace() || c == '~');
            let nothing = NOTHING.iter().find_map(|name| self.command(name));
            match nothing {
                Some(rest) => self.text = rest,
                None => return,
            }
        }
    }

    /// What follows a command of this name.
    fn command(&self, name: &str) -> Option<&'a str> {
        let rest = self.text.strip_prefix('\\')?.strip_prefix(name)?;
        let ends = !name.ends_with(|c: char| c.is_ascii_alphabetic())
            || !rest.starts_with(|c: char| c.is_ascii_alphabetic());
        ends.then_some(rest)
    }

    fn take(&mut self, mark: char) -> bool {
        self.skip();
        match self.text.strip_prefix(mark) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn take_command(&mut self, names: &[&str]) -> bool {
        self.skip();
        match names.iter().find_map(|name| self.command(name)) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<f64> {
        if self.depth >= DEPTH {
            return None;
        }
        self.depth += 1;
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                break;
            }
        }
        self.depth -= 1;
        Some(value)
    }

    fn product(&mut self) -> Option<f64> {
        if self.take('-') {
            return Some(-self.product()?);
        }
        if self.take('+') {
            return self.product();
        }
        let mut value = self.power()?;
        loop {
            if self.take('*') || self.take_command(&["cdot", "times"]) {
                value *= self.signed_power()?;
            } else if self.take('/') || self.take_command(&["div"]) {
                value /= self.signed_power()?;
            } else if self.begins_factor() {
                value *= self.power()?;
            } else {
                return Some(value);
            }
        }
    }

    fn signed_power(&mut self) -> Option<f64> {
        match self.take('-') {
            true => Some(-self.power()?),
            false => self.power(),
        }
    }

    /// Whether a factor follows without a sign between.
    fn begins_factor(&mut self) -> bool {
        self.skip();
        let Some(first) = self.text.chars().next() else {
            return false;
        };
        first.is_ascii_alphanumeric()
            || matches!(first, '(' | '{' | '.')
            || (first == '\\'
                && !["cdot", "times", "div", "}", "{", "%", "\\"]
                    .iter()
                    .any(|name| self.command(name).is_some()))
    }

    fn power(&mut self) -> Option<f64> {
        let mut base = self.primary()?;
        loop {
            if self.take('^') {
                base = base.powf(self.argument()?);
            } else if self.take('!') {
                base = factorial(base)?;
            } else if self.take('%') || self.take_command(&["%"]) {
                // A percent sign is a unit.
            } else {
                return Some(base);
            }
        }
    }

    /// `{...}`, or one digit, letter or command.
    fn argument(&mut self) -> Option<f64> {
        self.skip();
        if self.text.starts_with('{') {
            return self.enclosed('{', '}');
        }
        let first = self.text.chars().next()?;
        if first.is_ascii_digit() {
            self.text = &self.text[1..];
            return first.to_digit(10).map(f64::from);
        }
        self.primary()
    }

    fn enclosed(&mut self, open: char, close: char) -> Option<f64> {
        let value = self.take(open).then(|| self.sum())??;
        self.take(close).then_some(value)
    }

    fn primary(&mut self) -> Option<f64> {
        self.skip();
        let first = self.text.chars().next()?;
        match first {
            '(' => self.enclosed('(', ')'),
            '[' => self.enclosed('[', ']'),
            '{' => self.enclosed('{', '}'),
            '|' => Some(self.enclosed('|', '|')?.abs()),
            '0'..='9' | '.' => self.number(),
            'a'..='z' | 'A'..='Z' => {
                self.text = &self.text[1..];
                Some((self.letter)(first))
            }
            '\\' => self.named(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<f64> {
        let end = self.text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (digits, rest) = self.text.split_at(end.unwrap_or(self.text.len()));
        self.text = rest;
        let whole: f64 = digits.parse().ok()?;
        // 2\frac{1}{2} is a mixed number, as in MATH's answers.
        let fraction = ["frac", "dfrac", "tfrac"]
            .iter()
            .any(|name| self.command(name).is_some());
        let both_numbers = fraction && whole.fract() == 0.0 && mixed(self.text);
        match both_numbers {
            true => Some(whole + self.named()?),
            false => Some(whole),
        }
    }

    fn named(&mut self) -> Option<f64> {
        if self.take_command(&["frac", "dfrac", "tfrac"]) {
            return Some(self.argument()? / self.argument()?);
        }
        if self.take_command(&["sqrt"]) {
            let degree = match self.text.starts_with('[') {
                true => self.enclosed('[', ']')?,
                false => 2.0,
            };
            let inside = self.argument()?;
            let odd = degree % 2.0 == 1.0 && inside < 0.0;
            return Some(match odd {
                true => -(-inside).powf(1.0 / degree),
                false => inside.powf(1.0 / degree),
            });
        }
        if self.take_command(&["binom", "dbinom"]) {
            let (n, k) = (self.argument()?, self.argument()?);
            return Some(factorial(n)? / factorial(k)? / factorial(n - k)?);
        }
        if self.take_command(&["pi"]) {
            return Some(std::f64::consts::PI);
        }
        for (name, function) in FUNCTIONS {
            if self.take_command(&[name]) {
                let power = match self.take('^') {
                    true => self.argument()?,
                    false => 1.0,
                };
                self.skip();
                let inside = match self.text.starts_with(['(', '{', '[']) {
                    true => self.primary()?,
                    false => self.power()?,
                };
                return Some(function(inside).powf(power));
            }
        }
        // Greek letters are letters.
        let rest = self.text.strip_prefix('\\')?;
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let greek = [
            "alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "phi", "omega",
        ];
        let place = greek.iter().position(|name| *name == &rest[..end])?;
        self.text = &rest[end..];
        Some((self.letter)(char::from_u32(0x3b1 + place as u32)?))
    }
}

/// Whether a fraction of two whole numbers begins a text.
fn mixed(text: &str) -> bool {
    let digits = |text: &str| -> Option<usize> {
        let inner = text.strip_prefix('{')?;
        let end = inner.find('}')?;
        let number = !inner[..end].is_empty() && inner[..end].chars().all(|c| c.is_ascii_digit());
        number.then_some(end + 2)
    };
    let Some(start) = text.find('{') else {
        return false;
    };
    let first = digits(&text[start..]);
    first.is_some_and(|length| digits(&text[start + length..]).is_some())
}

fn factorial(n: f64) -> Option<f64> {
    let whole = (0.0..=170.0).contains(&n) && n.fract() == 0.0;
    whole.then(|| (1..=n as u32).map(f64::from).product())
}
