using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Security;

/// <summary>Who may ask, from which page, and how much.</summary>
internal static class SecurityPipeline
{
    /// <summary>Adds the services and sets the addresses and limits of the listener.</summary>
    public static void AddSecurity(this WebApplicationBuilder builder, ServerOptions options)
    {
    }

    /// <summary>Adds the checks that come before every route.</summary>
    public static void UseSecurity(this WebApplication app, ServerOptions options)
    {
    }
}
