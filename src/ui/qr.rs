//! A text for a camera.
use std::fmt::Write;

use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode as Matrix};

/// Modules left white around the code, without which cameras do not find it.
const QUIET: usize = 4;

/// A QR code, dark on light in every theme, since many cameras read no other. Nothing when the text is too long for one;
/// whoever shows a code also shows its text.
#[component]
pub fn QrCode(
    /// What the camera reads.
    #[prop(into)]
    content: String,
    /// What it is for, for those who do not see it.
    #[prop(into)]
    label: String,
) -> AnyView {
    let Ok(matrix) = Matrix::with_error_correction_level(content, EcLevel::M) else { return ().into_any() };
    let width = matrix.width();
    let mut path = String::new();
    for (at, color) in matrix.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let _ = write!(path, "M{} {}h1v1h-1z", at % width + QUIET, at / width + QUIET);
        }
    }
    let side = width + 2 * QUIET;
    view! {
        <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label=label shape-rendering="crispEdges">
            <path d=path></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        crate::ui::init();
        let html =
            Owner::new_root(None).with(|| view! { <QrCode content="otpauth://totp/x" label="a \"label\""/> }.to_html());
        let dark = Matrix::with_error_correction_level("otpauth://totp/x", EcLevel::M)
            .unwrap()
            .to_colors()
            .into_iter()
            .filter(|color| *color == Color::Dark)
            .count();
        assert_eq!(html.matches("h1v1h-1z").count(), dark);
        assert!(html.contains("role=\"img\"") && !html.contains("style=") && html.contains("&quot;label"), "{html}");
    }
}
