using System.Text;

namespace MuseAtelier.Storms.Requests;

/// <summary>A request as the bytes that a client sends.</summary>
internal sealed record FuzzedRequest
{
    /// <summary>The method.</summary>
    public required string Method { get; init; }

    /// <summary>The target of the request line.</summary>
    public required string Target { get; init; }

    /// <summary>What was done to it, in words.</summary>
    public required string Damage { get; init; }

    /// <summary>Head and body.</summary>
    public required byte[] Bytes { get; init; }

    /// <summary>
    /// Whether it is no proper HTTP, so that the server may close the connection without an answer, and nothing more is sent on it.
    /// </summary>
    public bool IsBroken { get; init; }

    /// <summary>Whether it comes from the page of another origin, and must be refused where it would change something.</summary>
    public bool IsForeign { get; init; }

    /// <summary>The request line and what was done to it, for reports.</summary>
    public override string ToString() =>
        $"{Method} {(Target.Length > 80 ? Target[..80] + "…" : Target)} ({Damage}, {Bytes.Length} bytes)";

    /// <summary>The bytes with another job's id in the place of the one that stands for any job.</summary>
    public byte[] For(string? job)
    {
        byte[] mark = Encoding.ASCII.GetBytes(RouteSeeds.AnyJob);
        if (job?.Length != mark.Length || Bytes.AsSpan().IndexOf(mark) is not (>= 0 and int at))
            return Bytes;
        byte[] bytes = [.. Bytes];
        Encoding.ASCII.GetBytes(job).CopyTo(bytes, at);
        return bytes;
    }
}
