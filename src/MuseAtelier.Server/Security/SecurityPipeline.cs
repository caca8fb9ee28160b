using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace MuseAtelier.Server.Security;

/// <summary>Who may ask, from which page, and how much.</summary>
internal static class SecurityPipeline
{
    private const int LongestRequestLine = 8 * 1024, MostHeaderBytes = 32 * 1024, MostHeaders = 100, MostConnections = 1024;
    private const int LeastBytesASecond = 4 * 1024;
    private static readonly TimeSpan LongestHeaders = TimeSpan.FromSeconds(15), Grace = TimeSpan.FromSeconds(10);

    /// <summary>Adds the services and sets the addresses and limits of the listener.</summary>
    public static void AddSecurity(this WebApplicationBuilder builder, ServerOptions options)
    {
        builder.Services.AddSingleton<OriginRule>();
        builder.Services.AddSingleton<TokenGate>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            Limit(kestrel, options.Limits);
            Listen(kestrel, options);
        });
    }

    /// <summary>Adds the checks that come before every route.</summary>
    public static void UseSecurity(this WebApplication app, ServerOptions options)
    {
        var origins = app.Services.GetRequiredService<OriginRule>();
        var gate = app.Services.GetRequiredService<TokenGate>();
        app.UseMiddleware<RequestCount>();
        app.UseMiddleware<LastResort>();
        app.Use(async (context, next) =>
        {
            AnswerHeaders.AddTo(context.Response);
            if (origins.Find(context.Request) is { } problem)
            {
                await ProblemAnswer.WriteAsync(context, StatusCodes.Status403Forbidden, problem).ConfigureAwait(false);
                return;
            }

            if (!await gate.AdmitAsync(context).ConfigureAwait(false)) return;
            if (!ContentTypeRule.Accepts(context))
            {
                Problem refusal = ContentTypeRule.Refusal(context.Request);
                await ProblemAnswer.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, refusal).ConfigureAwait(false);
                return;
            }

            await next(context).ConfigureAwait(false);
        });
    }

    // Calls that wait for a picture, and streams of events, may last: only headers and bodies that come too slowly are cut off.
    private static void Limit(KestrelServerOptions kestrel, ServerLimits limits)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits of = kestrel.Limits;
        of.MaxRequestBodySize = limits.BodyBytes;
        of.MaxRequestLineSize = LongestRequestLine;
        of.MaxRequestHeadersTotalSize = MostHeaderBytes;
        of.MaxRequestHeaderCount = MostHeaders;
        of.MaxConcurrentConnections = MostConnections;
        of.MaxConcurrentUpgradedConnections = 0;
        of.RequestHeadersTimeout = LongestHeaders;
        of.MinRequestBodyDataRate = new MinDataRate(LeastBytesASecond, Grace);
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        // Port 0 is a port for each address, so a test has one address alone; .NET opens both loopback addresses at one port only.
        if (options.Listen is { } address) kestrel.Listen(address, options.Port, Configure);
        else if (options.Port == 0) kestrel.Listen(IPAddress.Loopback, 0, Configure);
        else kestrel.ListenLocalhost(options.Port, Configure);

        static void Configure(ListenOptions listen) => listen.Protocols = HttpProtocols.Http1;
    }
}
