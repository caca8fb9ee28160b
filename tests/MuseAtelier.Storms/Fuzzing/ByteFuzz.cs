namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Damages bytes: flips, cuts, repeats and inserts.</summary>
internal static class ByteFuzz
{
    /// <summary>Returns a damaged copy with one to three faults.</summary>
    /// <param name="random">The source of the damage.</param>
    /// <param name="bytes">The valid bytes.</param>
    /// <param name="within">The number of bytes, from the first, that may be damaged; 0 means all.</param>
    public static byte[] Damage(Random random, byte[] bytes, int within = 0)
    {
        List<byte> damaged = [.. bytes];
        for (int faults = 1 + random.Next(3); faults > 0 && damaged.Count > 1; faults--)
        {
            int at = random.Next(within > 0 ? Math.Min(within, damaged.Count) : damaged.Count),
                length = Math.Min(1 + random.Next(64), damaged.Count - at);
            switch (random.Next(8))
            {
                case 0:
                case 1:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    damaged[at] = Extreme(random);
                    break;
                case 3:
                    damaged.RemoveRange(at, length);
                    break;
                case 4:
                    damaged.InsertRange(at, damaged.GetRange(at, length));
                    break;
                case 5:
                    for (int i = 0; i < Math.Min(8, length); i++)
                        damaged[at + i] = Extreme(random);
                    break;
                case 6:
                    damaged.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    damaged.RemoveRange(at, damaged.Count - at);
                    break;
            }
        }

        return [.. damaged];
    }

    private static byte Extreme(Random random) =>
        random.Next(4) switch
        {
            0 => 0,
            1 => 0xFF,
            2 => 0x80,
            _ => 0x7F,
        };
}
