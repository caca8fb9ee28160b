using System.Runtime.InteropServices;

namespace MuseAtelier.Tests.Cuda;

/// <summary>The files of ONNX Runtime's packages that the build puts beside a program.</summary>
public sealed class RuntimeFilesTests
{
    [Theory]
    [InlineData("*.aar")]
    [InlineData("*.xcframework.zip")]
    [InlineData("*onnxruntime*.lib")]
    [InlineData("*onnxruntime_providers_tensorrt*")]
    public void Output_OfTheBuild_HoldsNothingThatNoProgramLoads(string pattern) =>
        Assert.Empty(Directory.EnumerateFiles(AppContext.BaseDirectory, pattern, SearchOption.AllDirectories));

    [Fact]
    public void Output_OfTheBuild_HoldsOneLibraryForThisSystem()
    {
        string unix = OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";
        string file = OperatingSystem.IsWindows() ? "onnxruntime.dll" : unix;
        string architecture = RuntimeInformation.ProcessArchitecture.ToString();
        string[] found = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, file, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(AppContext.BaseDirectory, path))
            .Where(path => path == file || path.Contains(architecture, StringComparison.OrdinalIgnoreCase))
            .Where(path => path == file || !OperatingSystem.IsWindows() || path.Contains("win-", StringComparison.Ordinal))];
        Assert.Single(found);
    }
}
