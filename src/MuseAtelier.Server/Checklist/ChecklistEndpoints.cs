using Microsoft.AspNetCore.Builder;

namespace MuseAtelier.Server.Checklist;

/// <summary>The checklist before the first picture.</summary>
internal static class ChecklistEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapChecklist(this WebApplication app)
    {
    }
}
