namespace MuseAtelier.Storms.Requests;

/// <summary>Damages paths and queries: traversal in many spellings, encodings, lengths and forms.</summary>
internal static class TargetFuzz
{
    private static readonly string[] Pieces =
    [
        "..", ".", "../..", "%2e%2e", "%2e%2e%2f", "..%2f", "..%2F..%2F", "..%5c", "..\\", "%252e%252e%252f", "%c0%ae%c0%ae%c0%af", "%00",
        "%0a", "%0d%0aX:%20y", "%7f", "%ff", "%", "%2", "%zz", "//", "\\", ";", ";a=b", "~", "*", ":", "C:", "C:%5c", "%2fetc%2fpasswd",
        "/etc/passwd",
        "CON", "NUL.png", "a.png::$DATA", ".trash", ".index", ".git", "journal", "%20", "%e5%9c%a3", "\u00e5\u009c\u00a3", "%f0%9f%8c%83",
        "?", "#", "??", "&", "=", "+", "{id}", "{0}", "<script>", "%3cscript%3e", "-1", "0", "99999999999999999999", "file", "thumbnail",
        "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "..%2foutside%2fpicture.png", "....//secret.txt", "outside", "secret.txt",
    ];

    private static readonly string[] Values =
    [
        "", "a", "-1", "0", "1", "200", "201", "2147483648", "99999999999999999999", "1e9", "NaN", "%00", "%ff", "%", "true", "夜",
        "%e5%a4%9c",
        "..%2fsecret.txt", "/etc/passwd", "'", "\"", "<script>", "%5b", "[", "(((((", "*", "a&a=b", "a=b=c", "%0d%0a",
    ];

    private static readonly string[] Names = ["q", "cursor", "limit", "download", "token", "Q", "limit[]", "", "v", "__proto__"];

    /// <summary>Damages a path.</summary>
    public static string Damage(Random random, string target)
    {
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query],
            rest = query < 0 ? "" : target[query..];
        string[] segments = path.Split('/');
        int at = random.Next(1, Math.Max(2, segments.Length));
        string piece = Pieces[random.Next(Pieces.Length)];
        switch (random.Next(12))
        {
            case 0
            or 1
            or 2
            or 3:
                segments[Math.Min(at, segments.Length - 1)] = piece;
                break;
            case 4
            or 5:
                segments[^1] += piece;
                break;
            case 6:
                segments = [.. segments[..at], piece, .. segments[at..]];
                break;
            case 7:
                segments = [.. segments[..at], .. Enumerable.Repeat(piece, random.Next(2, 40)), .. segments[at..]];
                break;
            case 8:
                segments[^1] = new string((char)random.Next('!', '~'), random.Next(100, 9_000));
                break;
            case 9:
                return $"http://127.0.0.1{path}{rest}";
            case 10:
                return string.Concat(path.Select(each => random.Next(4) == 0 ? $"%{(int)each:x2}" : each.ToString())) + rest;
            default:
                return random.Next(2) == 0 ? path.ToUpperInvariant() + rest : path + "/" + rest;
        }

        return string.Join('/', segments) + rest;
    }

    /// <summary>Damages a query, or adds one.</summary>
    public static string DamageQuery(Random random, string target)
    {
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query];
        string[] members = query < 0 ? [] : target[(query + 1)..].Split('&');
        string added = $"{Names[random.Next(Names.Length)]}={Values[random.Next(Values.Length)]}";
        members = random.Next(4) switch
        {
            0 => [added],
            1 => [.. members, added],
            2 => [.. members, .. Enumerable.Repeat(added, random.Next(2, 2_000 / added.Length))],
            _ => [.. members.Select(member => $"{member.Split('=')[0]}={Values[random.Next(Values.Length)]}"), added],
        };
        return $"{path}?{string.Join('&', members)}".Replace("夜", "\u00e5\u00a4\u009c", StringComparison.Ordinal);
    }
}
