using System.Security.Cryptography;
using System.Text;
using MuseAtelier.Cli;
using MuseAtelier.Format;
using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Environments;

public sealed class Sha256Tests
{
    // Examples of FIPS 180-4 (NIST, "SHA256.pdf"), and the empty message.
    [Theory]
    [InlineData("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void Finish_OfPublishedMessages_GivesThePublishedDigest(string text, int times, string expected)
    {
        byte[] data = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(text, times)));
        using var managed = new Sha256(bySystem: false);
        managed.Append(data);
        Assert.Equal(expected, managed.Finish());
        Assert.Equal(expected, Sha256.Hash(data));
        Assert.Equal(expected, Sha256.Hash(new MemoryStream(data), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Finish_OfEveryLengthInAnyParts_EqualsTheSystems()
    {
        var random = new Random(7);
        byte[] data = new byte[1500];
        random.NextBytes(data);
        using var managed = new Sha256(bySystem: false);
        for (int length = 0; length <= data.Length; length++)
        {
            for (int at = 0; at < length;)
            {
                int part = Math.Min(random.Next(0, 200), length - at);
                managed.Append(data.AsSpan(at, part));
                at += part;
            }

            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(data.AsSpan(0, length))), managed.Finish());
        }
    }

    [Fact]
    public void Append_OfManagedDigests_AllocatesNothing()
    {
        var hash = new ManagedSha256();
        byte[] data = new byte[10_000], digest = new byte[ManagedSha256.DigestBytes];
        hash.Append(data);
        hash.Finish(digest);
        long before = GC.GetAllocatedBytesForCurrentThread();
        hash.Append(data);
        hash.Finish(digest);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    // On Linux every use of .NET's cryptography ends the process where no OpenSSL is installed.
    [Fact]
    public void Assemblies_OfTheProduct_UseCryptographyInOnePlace()
    {
        Type[] types = [typeof(MuseCommand), typeof(PictureFile), typeof(Atelier), typeof(Cpu.CpuBackend),
            typeof(MuseAtelier.Cuda.CudaBackend), typeof(MuseAtelier.Export.CheckpointExporter), typeof(ModelsLock)];
        string[] users = [.. types.Select(type => type.Assembly).Where(UsesCryptography).Select(assembly => assembly.GetName().Name!)];
        Assert.Equal(["MuseAtelier.Format"], users);

        static bool UsesCryptography(System.Reflection.Assembly assembly) =>
            assembly.GetReferencedAssemblies().Any(reference =>
                reference.Name!.StartsWith("System.Security.Cryptography", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Render_WhereThereIsNoOpenSsl_PaintsTheSamePicture()
    {
        using var folder = new Checkpoints.TemporaryFolder();
        string[] render = ["render", "cat", "-W", "256", "-H", "256", "--steps", "1", "--seed", "3", "--device", "cpu", "--out"];
        MuseProcessResult with = await MuseProcess.RunAsync([.. render, folder["with.png"], "--cache", folder["cache"]]);
        Assert.Equal(0, with.Code);
        // Files that are no libraries hide OpenSSL in a namespace of the process's own.
        MuseProcessResult without = await MuseProcess.RunAsync(MuseProcess.WithoutOpenSsl,
            [.. render, folder["without.png"], "--cache", folder["other"]]);
        Assert.SkipWhen(without.Code == MuseProcess.CannotHide, "needs the right to mount in a namespace: unshare");
        Assert.Equal((0, ""), (without.Code, without.Code == 0 ? "" : without.Error));
        Assert.Equal(File.ReadAllBytes(folder["with.png"]), File.ReadAllBytes(folder["without.png"]));
        MuseProcessResult doctor = await MuseProcess.RunAsync(MuseProcess.WithoutOpenSsl, ["doctor"]);
        Assert.Contains("OpenSSL", doctor.Out, StringComparison.Ordinal);
        Assert.Contains("not required", doctor.Out, StringComparison.Ordinal);
    }
}
