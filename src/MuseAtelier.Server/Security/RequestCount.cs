using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;

namespace MuseAtelier.Server.Security;

/// <summary>Counts the requests by their statuses.</summary>
internal sealed class RequestCount(RequestDelegate next, IMeterFactory meters)
{
    /// <summary>The name of the server's meter.</summary>
    public const string MeterName = "MuseAtelier.Server";

    private readonly Counter<long> _requests = meters.Create(MeterName)
        .CreateCounter<long>("muse.server.requests", "{request}", "Requests that were answered.");

    /// <summary>Runs the rest of the pipeline.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            _requests.Add(1, new KeyValuePair<string, object?>("http.response.status_code", context.Response.StatusCode));
        }
    }
}
