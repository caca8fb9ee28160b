using Microsoft.Playwright;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>How a visitor sees the page.</summary>
/// <param name="IsChinese">Whether the browser asks for Chinese, else for English.</param>
/// <param name="IsNight">Whether it asks for dark colours: candlelight.</param>
/// <param name="Width">Width of the window in px.</param>
/// <param name="Height">Height of the window in px.</param>
public sealed record Look(bool IsChinese = false, bool IsNight = false, int Width = 1440, int Height = 900)
{
    /// <summary>A phone: 375 px, with touch.</summary>
    public static Look Phone { get; } = new(Width: 375, Height: 812);

    /// <summary>For names of files: "day-1440-zh".</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{(IsNight ? "night" : "day")}-{Width}-{(IsChinese ? "zh" : "en")}");

    internal BrowserNewContextOptions Options() =>
        new()
        {
            Locale = IsChinese ? "zh-CN" : "en-GB",
            ColorScheme = IsNight ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = Width, Height = Height },
            HasTouch = Width < 600,
            AcceptDownloads = true,
            ReducedMotion = ReducedMotion.Reduce,
        };
}
