using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MuseAtelier.Server;

/// <summary>
/// The form in which another program's API states errors. Routes have it in their metadata, so that a refusal by whichever part of the
/// server has it.
/// </summary>
/// <param name="Write">Writes an error from its status and its problem.</param>
internal sealed record ProblemForm(Action<Utf8JsonWriter, int, Problem> Write)
{
    // Answers are never part of an HTML page, so that only what JSON itself requires is escaped.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An error as the body of an answer.</summary>
    public byte[] BodyOf(int status, Problem problem)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Writing)) Write(json, status, problem);
        return body.WrittenSpan.ToArray();
    }

    /// <summary>Writes the member <c>problem</c>, which the errors of every form have beside their own members.</summary>
    public static void WriteMember(Utf8JsonWriter json, Problem problem)
    {
        json.WriteStartObject("problem");
        json.WriteString("kind", problem.Kind);
        json.WriteString("message", problem.Message);
        if (problem.Field is not null) json.WriteString("field", problem.Field);
        json.WriteEndObject();
    }
}
