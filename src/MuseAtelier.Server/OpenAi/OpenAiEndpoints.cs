using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.OpenAi;

/// <summary>The routes of OpenAI's images API.</summary>
internal static class OpenAiEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapOpenAi(this WebApplication app)
    {
    }
}
