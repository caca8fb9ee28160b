using System.Text.Json;

namespace MuseAtelier.Server.Clients;

/// <summary>Writes a problem in the server's own form, as a member of another program's error.</summary>
internal static class ClientProblem
{
    /// <summary>Writes the member <c>problem</c>.</summary>
    public static void Write(Utf8JsonWriter json, Problem problem)
    {
        json.WriteStartObject("problem");
        json.WriteString("kind", problem.Kind);
        json.WriteString("message", problem.Message);
        if (problem.Field is not null) json.WriteString("field", problem.Field);
        json.WriteEndObject();
    }
}
