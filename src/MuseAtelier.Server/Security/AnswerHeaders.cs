using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MuseAtelier.Server.Security;

/// <summary>The headers that every answer has, so that no browser runs, embeds or shares it beyond what the page needs.</summary>
internal static class AnswerHeaders
{
    /// <summary>The content security policy of the page and of all other answers.</summary>
    public const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
        + "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

    private const string NoDevices =
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
        + "payment=(), usb=()";

    private static readonly (string Name, string Value)[] Headers =
    [
        (HeaderNames.ContentSecurityPolicy, PagePolicy),
        (HeaderNames.CacheControl, "no-store"),
        (HeaderNames.XContentTypeOptions, "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", NoDevices),
    ];

    /// <summary>
    /// Adds the headers when the answer begins, so that no route loses them when it clears its answer. A route may have a content security
    /// policy of its own, and say that its answer may be kept.
    /// </summary>
    public static void AddTo(HttpResponse response) => response.OnStarting(static state =>
    {
        var headers = (IHeaderDictionary)state;
        foreach ((string name, string value) in Headers) headers.TryAdd(name, value);
        return Task.CompletedTask;
    }, response.Headers);
}
