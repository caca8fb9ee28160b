using MuseAtelier.Cuda.Devices;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Cuda;

public sealed class WeightFilesTests : IDisposable
{
    private const string Name = "unet.weights";

    private readonly string _folder = Directory.CreateTempSubdirectory("muse-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public unsafe void Read_OfARange_ReadsItsBytesAndNoOthers()
    {
        File.WriteAllBytes(Path.Combine(_folder, Name), [.. Enumerable.Range(0, 100).Select(value => (byte)value)]);
        byte[] read = new byte[12];
        fixed (byte* to = read) Files().Read(new WeightRange(Name, 40, 10), (nint)to + 1);
        Assert.Equal([0, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 0], read);
    }

    [Fact]
    public unsafe void Read_PastTheEndOfTheFile_NamesTheFileAndTheRangesEnd()
    {
        File.WriteAllBytes(Path.Combine(_folder, Name), new byte[100]);
        byte[] read = new byte[12];
        fixed (byte* to = read)
        {
            nint address = (nint)to;
            EndOfStreamException exception =
                Assert.Throws<EndOfStreamException>(() => Files().Read(new WeightRange(Name, 95, 10), address));
            Assert.Contains($"{Name} ends before 105 bytes", exception.Message, StringComparison.Ordinal);
        }
    }

    private WeightFiles Files() => new(file => Path.Combine(_folder, file));
}
