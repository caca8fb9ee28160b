using System.Globalization;
using System.Text;
using MuseAtelier.Storms.Fuzzing;

namespace MuseAtelier.Storms.Requests;

/// <summary>Makes requests from the seeds: one in ten is valid, the others are damaged in one or two ways.</summary>
internal static class RequestFuzz
{
    private static readonly string[] Methods =
    [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G", "POST\u00e9",
    ];

    /// <summary>Makes the request with the given number.</summary>
    /// <param name="random">The source of all that is random in it.</param>
    /// <param name="host">Host and port of the server.</param>
    public static FuzzedRequest Create(Random random, string host)
    {
        RouteSeed seed = RouteSeeds.All[random.Next(RouteSeeds.All.Count)];
        var draft = new RequestDraft
        {
            Method = seed.Method,
            Target = seed.Target,
            Body = seed.Body?.Invoke(random),
        };
        draft.Headers.Add(("Host", host));
        if (seed.ContentType is not null)
            draft.Headers.Add(("Content-Type", seed.ContentType));
        if (random.Next(10) != 0)
            for (int faults = 1 + random.Next(2); faults > 0; faults--)
                Damage(random, draft, seed);
        return draft.Finish(random);
    }

    private static void Damage(Random random, RequestDraft draft, RouteSeed seed)
    {
        switch (random.Next(10))
        {
            case 0
            or 1
            or 2
            or 3:
                DamageBody(random, draft, seed);
                break;
            case 4
            or 5:
                draft.Target = TargetFuzz.Damage(random, draft.Target);
                draft.Damages.Add("target");
                break;
            case 6:
                draft.Method = Methods[random.Next(Methods.Length)];
                draft.Damages.Add("method");
                break;
            case 7
            or 8:
                HeaderFuzz.Damage(random, draft);
                break;
            default:
                HeaderFuzz.Break(random, draft);
                break;
        }
    }

    private static void DamageBody(Random random, RequestDraft draft, RouteSeed seed)
    {
        if (draft.Body is not { } body)
        {
            draft.Target = TargetFuzz.DamageQuery(random, draft.Target);
            draft.Damages.Add("query");
            return;
        }

        // What was damaged once may be no JSON any more.
        bool isJson = seed.IsJson && draft.Damages.Count == 0;
        draft.Damages.Add("body");
        draft.Body =
            random.Next(40) == 0 ? []
            : random.Next(80) == 0 ? Large(random, body)
            : isJson ? JsonFuzz.Damage(random, body)
            : ByteFuzz.Damage(random, body, random.Next(2) == 0 ? 512 : 0);
    }

    // Beyond the limits of bodies and of uploads that the storm's server has.
    private static byte[] Large(Random random, byte[] body)
    {
        byte[] large = new byte[random.Next(1 << 18, FuzzedServer.UploadBytes * 2)];
        if (random.Next(2) == 0)
            large.AsSpan().Fill((byte)'[');
        body.AsSpan(0, Math.Min(body.Length, large.Length)).CopyTo(large);
        return large;
    }
}

/// <summary>A request while it is made.</summary>
internal sealed class RequestDraft
{
    public required string Method { get; set; }

    public required string Target { get; set; }

    public byte[]? Body { get; set; }

    public string Version { get; set; } = "HTTP/1.1";

    public string LineEnd { get; set; } = "\r\n";

    /// <summary>The value of Content-Length; null means the length of the body, and "" that there is none.</summary>
    public string? Length { get; set; }

    public List<(string Name, string Value)> Headers { get; } = [];

    public List<string> Damages { get; } = [];

    public bool IsBroken { get; set; }

    public bool IsForeign { get; set; }

    /// <summary>Whether the bytes end before the request does.</summary>
    public bool IsCut { get; set; }

    public void Set(string name, string value)
    {
        Headers.RemoveAll(header => string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase));
        Headers.Add((name, value));
    }

    public FuzzedRequest Finish(Random random)
    {
        bool needsLength = Body is not null || Method is "POST" or "PUT" or "PATCH";
        string length = Length ?? (needsLength ? (Body?.Length ?? 0).ToString(CultureInfo.InvariantCulture) : "");
        var head = new StringBuilder();
        head.Append(Method).Append(' ').Append(Target).Append(' ').Append(Version).Append(LineEnd);
        foreach ((string name, string value) in Headers)
            head.Append(name).Append(": ").Append(value).Append(LineEnd);
        if (length.Length > 0)
            head.Append("Content-Length: ").Append(length).Append(LineEnd);
        head.Append(LineEnd);
        byte[] bytes = [.. Encoding.Latin1.GetBytes(head.ToString()), .. Body ?? []];
        if (IsCut)
            bytes = bytes[..random.Next(1, bytes.Length)];
        return new FuzzedRequest
        {
            Method = Method,
            Target = Target,
            Damage = Damages.Count == 0 ? "valid" : string.Join(", ", Damages),
            Bytes = bytes,
            IsBroken = IsBroken || IsCut || !IsProper(Target) || !Method.All(char.IsAsciiLetterUpper),
            IsForeign = IsForeign,
        };
    }

    private static bool IsProper(string target) =>
        target.StartsWith('/') && target.All(character => character is > ' ' and < '\u007f');
}
