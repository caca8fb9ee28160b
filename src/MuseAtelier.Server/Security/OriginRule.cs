using System.Net;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Security;

/// <summary>
/// From which pages a browser may ask. Programs send neither Sec-Fetch-Site nor Origin and pass; a browser sends them, and no page can
/// change them. The name in the header Host is checked, too, because a foreign name may be made to lead to this machine.
/// </summary>
internal sealed class OriginRule(ServerOptions options)
{
    private static readonly string[] Apis = ["/api", "/sdapi", "/v1", "/openapi", "/metrics", "/internal"];

    /// <summary>What is wrong with the request's host or origin; null if nothing is.</summary>
    public Problem? Find(HttpRequest request)
    {
        if (!IsHostAllowed(request.Host))
        {
            return new Problem
            {
                Kind = "other-host",
                Message = $"The request is for the host '{Shown(request.Host.Value)}'; expected localhost or an address of this machine. "
                    + "Start muse atelier with --listen and a token to serve it under another name.",
            };
        }

        if (!NeedsOrigin(request) || IsOwnPage(request)) return null;
        return new Problem
        {
            Kind = "other-origin",
            Message = "The request comes from a page of another site; expected this server's own page, or a program that is no browser. "
                + "Open the page at this server's address.",
        };
    }

    private static bool IsOwnPage(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site.ToString() is not ("same-origin" or "none")) return false;
        if (request.Headers.Origin.Count == 0) return true;
        string origin = request.Headers.Origin.ToString();
        int start = origin.IndexOf("://", StringComparison.Ordinal);
        return start > 0 && origin.AsSpan(start + 3).Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    // Following a link from another site to the page itself is allowed, as to any page.
    private static bool NeedsOrigin(HttpRequest request)
    {
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method)) return true;
        return Array.Exists(Apis, api => request.Path.StartsWithSegments(api, StringComparison.OrdinalIgnoreCase));
    }

    private static string Shown(string? host) => host is { Length: > 64 } ? $"{host[..64]}..." : host ?? "";

    // With a token, a foreign name gains nothing: the cookie belongs to the name under which the page was opened.
    private bool IsHostAllowed(HostString host)
    {
        if (options.Token is not null) return true;
        if (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        if (!IPAddress.TryParse(host.Host, out IPAddress? address)) return false;
        return IPAddress.IsLoopback(address) || address.Equals(options.Listen);
    }
}
