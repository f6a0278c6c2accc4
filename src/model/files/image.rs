//! Images in another size or format: what a client asks for, and what that comes to.

use crate::error::{ErrorCode, ParseError, Result};

/// A format that images can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, without transparency.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, without loss.
    WebP,
}

impl Format {
    /// The extension of its files.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }
}

/// How an image is made to have a width and a height of another proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// All of it, within width and height.
    #[default]
    Contain,
    /// Its middle, so that it fills both.
    Cover,
    /// All of it, stretched.
    Fill,
}

/// What a client asks for. Images are never made larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Change {
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// Counts where both are given.
    pub fit: Fit,
    /// `None`: that of the image.
    pub format: Option<Format>,
}

/// How to get there: the part of the image that is kept, and the size it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Left, top, width, height.
    pub crop: (u32, u32, u32, u32),
    /// Width and height.
    pub size: (u32, u32),
}

impl Change {
    /// What the pairs of a query ask for; `None` when none of them is about images. `most`: the longest side.
    ///
    /// # Errors
    /// 102 for a value that is none.
    pub fn read<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, most: u32) -> Result<Option<Self>> {
        let refuse = |message: String| ParseError::new(ErrorCode::InvalidQuery, message);
        let (mut change, mut asked) = (Self::default(), false);
        for (name, value) in pairs {
            let side = || {
                let side = value.parse::<u32>().ok().filter(|side| (1..=most).contains(side));
                side.ok_or_else(|| refuse(format!("{name} must be a number from 1 to {most}")))
            };
            match name {
                "width" => change.width = Some(side()?),
                "height" => change.height = Some(side()?),
                "fit" => {
                    change.fit = match value {
                        "contain" => Fit::Contain,
                        "cover" => Fit::Cover,
                        "fill" => Fit::Fill,
                        _ => return Err(refuse("fit must be contain, cover or fill".to_owned())),
                    }
                }
                "format" => {
                    change.format = Some(match value {
                        "jpeg" | "jpg" => Format::Jpeg,
                        "png" => Format::Png,
                        "webp" => Format::WebP,
                        _ => return Err(refuse("format must be jpeg, png or webp".to_owned())),
                    });
                }
                _ => continue,
            }
            asked = true;
        }
        Ok(asked.then_some(change))
    }

    /// How an image of this size is changed.
    #[must_use]
    pub fn plan(self, width: u32, height: u32) -> Plan {
        let whole = (0, 0, width, height);
        let all = |size| Plan { crop: whole, size };
        match (self.width, self.height) {
            (None, None) => all((width, height)),
            (Some(wanted), None) => {
                let wanted = wanted.min(width);
                all((wanted, scaled(height, wanted, width)))
            }
            (None, Some(wanted)) => {
                let wanted = wanted.min(height);
                all((scaled(width, wanted, height), wanted))
            }
            (Some(w), Some(h)) => match self.fit {
                Fit::Fill => all((w.min(width), h.min(height))),
                Fit::Contain if u64::from(w) * u64::from(height) <= u64::from(h) * u64::from(width) => {
                    Self { height: None, ..self }.plan(width, height)
                }
                Fit::Contain => Self { width: None, ..self }.plan(width, height),
                Fit::Cover => {
                    let (kept_w, kept_h) = (scaled(height, w, h).min(width), scaled(width, h, w).min(height));
                    let crop = ((width - kept_w) / 2, (height - kept_h) / 2, kept_w, kept_h);
                    Plan { crop, size: (w.min(kept_w), h.min(kept_h)) }
                }
            },
        }
    }
}

/// `side * numerator / denominator`, rounded, at least 1.
fn scaled(side: u32, numerator: u32, denominator: u32) -> u32 {
    let (side, numerator, denominator) = (u64::from(side), u64::from(numerator), u64::from(denominator.max(1)));
    let scaled = (side * numerator + denominator / 2) / denominator;
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Option<Change>> {
        Change::read(query.split('&').filter_map(|pair| pair.split_once('=')), 4096)
    }

    #[test]
    fn queries_are_read() {
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("token=x&widths=3").unwrap(), None);
        let change = Change { width: Some(10), height: Some(4096), fit: Fit::Cover, format: Some(Format::WebP) };
        assert_eq!(read("width=10&height=4096&fit=cover&format=webp&x=y").unwrap(), Some(change));
        assert_eq!(read("format=jpg").unwrap().unwrap().format, Some(Format::Jpeg));
        for bad in [
            "width=0",
            "width=4097",
            "width=-1",
            "width=1.5",
            "height=",
            "height=1e9",
            "fit=x",
            "format=svg",
            "format=gif",
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.is(ErrorCode::InvalidQuery), "{bad}");
        }
    }

    #[test]
    fn sizes_are_planned() {
        let plan = |query: &str, size: (u32, u32)| read(query).unwrap().unwrap().plan(size.0, size.1);
        let whole = |size: (u32, u32), target| Plan { crop: (0, 0, size.0, size.1), size: target };
        let (wide, tall) = ((400, 200), (200, 400));
        for (query, size, expected) in [
            ("width=100", wide, whole(wide, (100, 50))),
            ("height=100", wide, whole(wide, (200, 100))),
            ("width=1000", wide, whole(wide, wide)),
            ("width=1", (4096, 3), whole((4096, 3), (1, 1))),
            ("width=100&height=100", wide, whole(wide, (100, 50))),
            ("width=100&height=100", tall, whole(tall, (50, 100))),
            ("width=1000&height=1000", tall, whole(tall, tall)),
            ("width=100&height=100&fit=fill", wide, whole(wide, (100, 100))),
            ("width=1000&height=100&fit=fill", wide, whole(wide, (400, 100))),
            ("width=100&height=100&fit=cover", wide, Plan { crop: (100, 0, 200, 200), size: (100, 100) }),
            ("width=100&height=100&fit=cover", tall, Plan { crop: (0, 100, 200, 200), size: (100, 100) }),
            ("width=1000&height=1000&fit=cover", wide, Plan { crop: (100, 0, 200, 200), size: (200, 200) }),
            ("width=100&height=50&fit=cover", wide, whole(wide, (100, 50))),
            ("format=png", wide, whole(wide, wide)),
        ] {
            assert_eq!(plan(query, size), expected, "{query} {size:?}");
        }
    }

    #[test]
    fn no_plan_leaves_the_image_or_makes_it_larger() {
        for (width, height) in [(1, 1), (1, 4096), (4096, 1), (3, 7), (65_535, 65_535), (1000, 999)] {
            for (w, h) in [(1, 1), (1, 4096), (4096, 1), (7, 3), (4096, 4096)] {
                for fit in [Fit::Contain, Fit::Cover, Fit::Fill] {
                    let Plan { crop: (left, top, cw, ch), size } =
                        Change { width: Some(w), height: Some(h), fit, format: None }.plan(width, height);
                    assert!(left + cw <= width && top + ch <= height && cw > 0 && ch > 0);
                    assert!(
                        (1..=cw).contains(&size.0) && (1..=ch).contains(&size.1),
                        "{width}x{height} {w}x{h} {fit:?}"
                    );
                    assert!(size.0 <= w && size.1 <= h);
                }
            }
        }
    }
}
