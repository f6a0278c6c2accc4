//! Changes images by the crate `image`. Work for a thread that may block.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::model::files::image::{Change, Format, Plan};

/// Of JPEG, out of 100.
const QUALITY: u8 = 82;
/// Passes over the picture that a progressive JPEG may take: usual are ten.
const MOST_SCANS: usize = 32;

/// Why an image was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It is none, or of a format that is not known here.
    #[error("The file is no JPEG, PNG, WebP or GIF image.")]
    NoImage,
    /// It would take too much memory or time.
    #[error("The image is too large.")]
    TooLarge,
    /// It cannot be read to its end.
    #[error("The image is broken.")]
    Broken(#[source] image::ImageError),
}

impl From<image::ImageError> for ImageError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooLarge,
            other => Self::Broken(other),
        }
    }
}

/// An image in another size or format, and the format it has now. Of a GIF the first picture counts, as PNG. The same bytes give the
/// same bytes.
///
/// # Errors
/// For what is no image, and for one of more than `most_pixels`.
pub fn change(bytes: &[u8], change: Change, most_pixels: u64) -> Result<(Vec<u8>, Format), ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| ImageError::NoImage)?;
    let format = match reader.format() {
        Some(ImageFormat::Jpeg) => Format::Jpeg,
        Some(ImageFormat::Png | ImageFormat::Gif) => Format::Png,
        Some(ImageFormat::WebP) => Format::WebP,
        _ => return Err(ImageError::NoImage),
    };
    if format == Format::Jpeg && bytes.array_windows().filter(|pair| **pair == [0xff, 0xda]).count() > MOST_SCANS {
        return Err(ImageError::TooLarge);
    }
    let mut limits = Limits::default();
    // A pixel has eight bytes at most, and decoders keep a second picture.
    limits.max_alloc = Some(most_pixels.saturating_mul(16));
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(ImageError::TooLarge);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let mut image = eight_bits(DynamicImage::from_decoder(decoder)?);
    image.apply_orientation(orientation);
    let Plan { crop: (left, top, width, height), size } = change.plan(image.width(), image.height());
    if (width, height) != (image.width(), image.height()) {
        image = image.crop_imm(left, top, width, height);
    }
    if size != (width, height) {
        image = image.resize_exact(size.0, size.1, FilterType::CatmullRom);
    }
    let format = change.format.unwrap_or(format);
    Ok((encode(&image, format, profile)?, format))
}

/// With a byte for each colour: nothing that is shown on a screen has more.
fn eight_bits(image: DynamicImage) -> DynamicImage {
    if image.color().has_alpha() { image.into_rgba8().into() } else { image.into_rgb8().into() }
}

fn encode(image: &DynamicImage, format: Format, profile: Option<Vec<u8>>) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::new();
    match format {
        Format::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
            keep_profile(&mut encoder, profile);
            DynamicImage::from(on_white(image)).write_with_encoder(encoder)?;
        }
        Format::Png => {
            let mut encoder = PngEncoder::new(&mut out);
            keep_profile(&mut encoder, profile);
            image.write_with_encoder(encoder)?;
        }
        Format::WebP => {
            let mut encoder = WebPEncoder::new_lossless(&mut out);
            keep_profile(&mut encoder, profile);
            image.write_with_encoder(encoder)?;
        }
    }
    Ok(out)
}

/// Colours mean what the profile says.
fn keep_profile(encoder: &mut impl image::ImageEncoder, profile: Option<Vec<u8>>) {
    if let Some(profile) = profile
        && let Err(error) = encoder.set_icc_profile(profile)
    {
        tracing::debug!(%error, "an image lost its colour profile");
    }
}

/// What is transparent becomes white.
fn on_white(image: &DynamicImage) -> RgbImage {
    let DynamicImage::ImageRgba8(image) = image else { return image.to_rgb8() };
    let mut opaque = RgbImage::new(image.width(), image.height());
    for (to, from) in opaque.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let mix = |colour: u8| {
            let sum = u32::from(colour) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127;
            u8::try_from(sum / 255).unwrap_or(u8::MAX)
        };
        *to = Rgb([mix(red), mix(green), mix(blue)]);
    }
    opaque
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        RgbaImage::from_fn(width, height, |x, y| {
            let colour = |step: u32| u8::try_from((x + y) * step % 256).unwrap();
            Rgba([colour(1), colour(3), colour(7), if x < width / 2 { 255 } else { 0 }])
        })
        .into()
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let image = picture(60, 40);
        let image = if format == ImageFormat::Jpeg { image.into_rgb8().into() } else { image };
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn asked(query: &str) -> Change {
        Change::read(query.split('&').filter_map(|pair| pair.split_once('=')), 4096).unwrap().unwrap()
    }

    #[test]
    fn every_format_becomes_every_other() {
        for from in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
            let bytes = encoded(from);
            for (query, to) in [
                ("width=30", if from == ImageFormat::Gif { ImageFormat::Png } else { from }),
                ("width=30&format=jpeg", ImageFormat::Jpeg),
                ("width=30&format=png", ImageFormat::Png),
                ("width=30&format=webp", ImageFormat::WebP),
            ] {
                let (made, format) = change(&bytes, asked(query), 10_000).unwrap();
                assert_eq!(image::guess_format(&made).unwrap(), to, "{from:?} {query}");
                assert_eq!(ImageFormat::from_extension(format.extension()), Some(to));
                let read = image::load_from_memory(&made).unwrap();
                assert_eq!((read.width(), read.height()), (30, 20), "{from:?} {query}");
                assert_eq!(change(&bytes, asked(query), 10_000).unwrap().0, made, "{from:?} {query}");
            }
        }
    }

    #[test]
    fn transparency_becomes_white_in_a_jpeg() {
        let (made, _) = change(&encoded(ImageFormat::Png), asked("format=jpeg"), 10_000).unwrap();
        let pixel = *image::load_from_memory(&made).unwrap().to_rgb8().get_pixel(58, 20);
        assert!(pixel.0.iter().all(|colour| *colour > 240), "{pixel:?}");
    }

    #[test]
    fn what_is_no_image_or_too_large_is_refused() {
        let png = encoded(ImageFormat::Png);
        assert!(matches!(change(&png, asked("width=1"), 2399), Err(ImageError::TooLarge)));
        assert!(change(&png, asked("width=1"), 2400).is_ok());
        assert!(matches!(change(&png[..png.len() / 2], asked("width=1"), 10_000), Err(ImageError::Broken(_))));
        for bytes in [&b""[..], b"<svg/>", b"BM", b"%PDF-1.4", b"\x89PNG", b"\xff\xd8\xff"] {
            assert!(change(bytes, asked("width=1"), 10_000).is_err(), "{bytes:?}");
        }
        let mut scans = encoded(ImageFormat::Jpeg);
        for _ in 0..MOST_SCANS {
            scans.extend_from_slice(&[0xff, 0xda]);
        }
        assert!(matches!(change(&scans, asked("width=1"), 10_000), Err(ImageError::TooLarge)));
        // A few bytes that say to be a large picture.
        let mut bomb = png.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        assert!(change(&bomb, asked("width=1"), 50_000_000).is_err());
    }
}
