using System.Text;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Security;

/// <summary>
/// Demands the token of every request: as Bearer, as the password of Basic, or as the cookie that the page gets when it is opened with
/// the token in its address. A wrong token is answered late, so that tokens cannot be tried out quickly.
/// </summary>
internal sealed class TokenGate(ServerOptions options)
{
    /// <summary>The name of the cookie.</summary>
    public const string CookieName = "muse-atelier";

    /// <summary>The parameter of the page's address that brings the token.</summary>
    public const string Parameter = "token";

    private const int MostSlowed = 16;
    private static readonly TimeSpan Slowness = TimeSpan.FromMilliseconds(500);

    private readonly AccessToken? _token = options.Token is { } text ? new AccessToken(text) : null;
    private int _slowed;

    /// <summary>Lets the request pass, or answers it.</summary>
    /// <returns>Whether it may pass.</returns>
    public async Task<bool> AdmitAsync(HttpContext context)
    {
        if (_token is null || IsOpen(context.Request)) return true;
        if (context.Request.Path == "/" && context.Request.Query[Parameter] is { Count: 1 } query)
        {
            if (!_token.Is(query.ToString())) return await RefuseSlowlyAsync(context).ConfigureAwait(false);
            GiveCookie(context, _token);
            return false;
        }

        if (Presented(context.Request.Headers.Authorization.ToString()) is { } presented)
            return _token.Is(presented) || await RefuseSlowlyAsync(context).ConfigureAwait(false);
        if (context.Request.Cookies[CookieName] is { } cookie)
            return _token.IsCookie(cookie) || await RefuseSlowlyAsync(context).ConfigureAwait(false);
        return await RefuseAsync(context, "The request has no token").ConfigureAwait(false);
    }

    /// <summary>The token of a header Authorization; null if it holds none.</summary>
    internal static string? Presented(string header)
    {
        const string bearer = "Bearer ", basic = "Basic ";
        if (header.StartsWith(bearer, StringComparison.OrdinalIgnoreCase)) return header[bearer.Length..].Trim();
        if (!header.StartsWith(basic, StringComparison.OrdinalIgnoreCase)) return null;
        string encoded = header[basic.Length..].Trim();
        byte[] decoded = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, decoded, out int length)) return "";
        string pair = Encoding.UTF8.GetString(decoded, 0, length);
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private static bool IsOpen(HttpRequest request) => request.Path == "/health";

    private static void GiveCookie(HttpContext context, AccessToken token)
    {
        context.Response.Cookies.Append(CookieName, token.CookieValue, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Path = "/",
            Secure = context.Request.IsHttps,
        });
        context.Response.Headers.CacheControl = "no-store";
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/";
    }

    private static async Task<bool> RefuseAsync(HttpContext context, string found)
    {
        HttpRequest request = context.Request;
        string accepted = request.Headers.Accept.ToString();
        bool isPage = HttpMethods.IsGet(request.Method) && accepted.Contains("text/html", StringComparison.Ordinal);
        // A browser asks its user for a password where it is told of Basic; a script on the page should not make it ask.
        context.Response.Headers.WWWAuthenticate =
            isPage ? "Basic realm=\"MuseAtelier\", charset=\"UTF-8\"" : "Bearer realm=\"MuseAtelier\"";
        var problem = new Problem
        {
            Kind = "token-missing",
            Message = $"{found}; expected the token that muse atelier was started with, as Authorization: Bearer, as the password of "
                + "Basic, or in the address /?token= of the page. Copy it from where the server was started.",
        };
        await ProblemAnswer.WriteAsync(context, StatusCodes.Status401Unauthorized, problem).ConfigureAwait(false);
        return false;
    }

    private async Task<bool> RefuseSlowlyAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _slowed) <= MostSlowed)
            {
                await Task.Delay(Slowness, context.RequestAborted).ConfigureAwait(false);
                return await RefuseAsync(context, "The token is wrong").ConfigureAwait(false);
            }

            const string message = "Too many requests with a wrong token come at a time; expected the right one. Wait, then try.";
            var problem = new Problem { Kind = "too-many-attempts", Message = message };
            await ProblemAnswer.WriteAsync(context, StatusCodes.Status429TooManyRequests, problem).ConfigureAwait(false);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _slowed);
        }
    }
}
