using System.Text.Json;

namespace MuseAtelier.Server.OpenAi;

/// <summary>Errors in OpenAI's form, with the server's own form beside it.</summary>
internal static class ImageErrors
{
    /// <summary>Writes an error.</summary>
    /// <param name="json">Where.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="problem">What went wrong.</param>
    public static void Write(Utf8JsonWriter json, int status, Problem problem)
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", problem.Message);
        json.WriteString("type", status switch
        {
            401 => "authentication_error",
            429 => "rate_limit_error",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        });
        json.WriteString("param", problem.Field);
        json.WriteString("code", problem.Kind == "no-such-model" ? "model_not_found" : problem.Kind.Replace('-', '_'));
        json.WriteEndObject();
        ProblemForm.WriteMember(json, problem);
        json.WriteEndObject();
    }
}
